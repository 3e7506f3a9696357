from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.audit.kinds import Kind
from registry.console import words
from registry.console.errors import _REFUSALS, INTERNAL, Refusal, problem_of, problem_of_refusal
from registry.domain import errors
from registry.domain.categories import Category
from registry.domain.enrollment import FieldProblem
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.policy.engine import shipped_policy


def leaves(kind: type[errors.RegistryError] = errors.RegistryError) -> Iterator[type[errors.RegistryError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from leaves(child)


def made(kind: type[errors.RegistryError]) -> errors.RegistryError:
    arguments = {
        errors.AccessDenied: ("not_permitted", 3),
        errors.ApprovalNeeded: ("0" * 32, 1, 0, 3),
        errors.InvalidInput: ([FieldProblem("/a", "missing")],),
        errors.LedgerCorrupt: ("what", 3),
        errors.NotDurable: (),
        errors.UploadRefused: ("broken_pdf", 3),
        errors.Contended: (),
    }
    wants = kind.__init__ is not Exception.__init__
    return kind(*arguments.get(kind, ("cause",) if wants else ()))


@pytest.mark.parametrize("kind", list(leaves()), ids=lambda kind: kind.__name__)
def test_every_error_has_a_page_of_its_own(kind: type[errors.RegistryError]) -> None:
    problem = problem_of(made(kind))
    assert problem is not INTERNAL
    assert problem.heading
    assert all(sentence.endswith((".", "verify")) for sentence in problem.sentences)


def test_the_page_of_an_unavailable_ledger_names_the_cause_and_says_that_nothing_was_opened() -> None:
    problem = problem_of(errors.AuditUnavailable("disk_full"))
    assert problem.status == 503
    assert "disk_full" in " ".join(problem.sentences)
    assert "Nothing was opened" in " ".join(problem.sentences)


@pytest.mark.parametrize("code", list(_REFUSALS))
def test_every_refusal_has_a_page(code: str) -> None:
    problem = problem_of_refusal(Refusal(403, code))
    assert (problem.status, problem.heading) == (403, _REFUSALS[code][0])


def test_everything_that_pages_name_has_a_name() -> None:
    assert set(words.CATEGORIES) == set(Category)
    assert set(words.ROLES) == set(Role)
    assert set(words.TIERS) == set(Tier)
    assert set(words.KINDS) == set(Kind)


def test_a_purpose_says_what_it_opens() -> None:
    assert dict(words.purpose_choices(shipped_policy())) == {
        "emergency_contact": "Opens home address, phone number and family member.",
        "payroll": "Opens home address, social security number and date of birth.",
        "benefits": "Opens home address, social security number, date of birth and health information.",
        "official_mail": "Opens home address. Needs a case reference.",
        "legal_service": "Opens home address and phone number. Needs a case reference.",
        "safety": "Opens every category. Needs a case reference. Needs a strong and recent sign-in.",
    }
    assert words.purpose_words("legal_service") == "Legal service"


def test_lists_have_one_order_and_unknown_words_stay() -> None:
    assert words.contents_words(["phone", "directory", "home_address"]) == (
        "Name, department and title, Home address, Phone number"
    )
    assert words.contents_words(["case"]) == "case"
    assert words.problem_words("ssn_area") == "is not in the right form (ssn_area)"
    assert words.reason_words("something_new") == "The policy does not allow this."
