"""What goes wrong in the engine or in a policy is a denial, and a folder of policies is taken whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cedarpy
import pytest

from registry.domain.categories import Category
from registry.domain.errors import MisconfiguredHome
from registry.domain.ids import PrincipalId, RecordId, new_id
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy import engine
from registry.policy.decide import Denial, Facts, Form, Permit, RecordFacts, Relation
from registry.policy.engine import Policy, load_policy
from registry.policy.rule_set import PolicyTexts, RuleSet, checked, shipped_texts
from registry.policy.settings import PolicySettings
from registry.policy.situation import situation_of
from tests.fakes.purposes import SHIPPED

READER = Principal(PrincipalId(new_id()), "issuer#reader", frozenset({Role.READER}))
PAYROLL = Purpose(PurposeCode("payroll"))
ASKED = Facts(frozenset({Category.SSN}), (RecordFacts(RecordId(new_id()), Category.SSN, Tier.CONFIDENTIAL),))
# Adds up to more than a whole number of Cedar holds: valid by every check, and an error whenever it is evaluated.
ERRING = (
    '@id("own.erring")\n@reason("not_permitted")\n@rank("1")\n'
    'forbid (principal, action == Action::"ask", resource)\n'
    "when { resource.approvals + 9223372036854775807 < 0 };\n"
)


def with_policy(text: str) -> PolicyTexts:
    shipped = shipped_texts()
    return replace(shipped, policies={**shipped.policies, "own.cedar": text})


def what(text: str) -> list[str]:
    problems, _ = checked(with_policy(text))
    return [str(problem) for problem in problems]


def test_a_forbid_that_errs_denies() -> None:
    policy = Policy(RuleSet(with_policy(ERRING)))
    assert isinstance(policy.decide(READER, PAYROLL, ASKED), Permit)  # no overflow at 0 approvals
    erring = policy.decide(READER, PAYROLL, replace(ASKED, approvals=1))
    assert erring == Denial("not_permitted", ("engine.failed",))


def test_an_engine_that_fails_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(cedarpy, "is_authorized", fail)
    policy = load_policy(PolicySettings())
    assert policy.decide(READER, PAYROLL, ASKED) == Denial("not_permitted", ("engine.failed",))
    assert policy.decide_own(READER, ASKED) == Denial("not_permitted", ("engine.failed",))


def test_a_request_that_does_not_fit_the_schema_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy(PolicySettings())
    real = engine.request_of
    monkeypatch.setattr(engine, "request_of", lambda *args, **more: real(*args, **more) | {"context": {"purpose": 1}})
    assert policy.decide(READER, PAYROLL, ASKED) == Denial("not_permitted", ("engine.failed",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('permit (principal, action == Action::"ask", resource)', "unexpected"),
        (
            (
                '@id("own.x") @reason("permitted")\npermit (principal, action == Action::"ask", resource)\n'
                'when { principal.rolls.contains(Role::"reader") };'
            ),
            "own.cedar:1: own.x: attribute `rolls`",
        ),
        (
            (
                '// first\n\n@id("own.x") @reason("permitted")\npermit (principal, action == Action::"ask", resource)\n'
                'when { context.purpose == "payroll" };'
            ),
            "own.cedar:3: own.x: the types",
        ),
        (
            (
                '@id("own.x") @reason("permitted")\npermit (principal, action == Action::"ask", resource)\n'
                'when { context.purpose == Purpose::"payrol" };'
            ),
            "payrol",
        ),
        ('@reason("permitted")\npermit (principal, action == Action::"ask", resource);', "needs an @id"),
        ('@id("own.x")\npermit (principal, action == Action::"ask", resource);', "needs a @reason"),
        (
            '@id("own.x") @reason("because") @rank("1")\nforbid (principal, action == Action::"ask", resource);',
            "needs a @reason",
        ),
        (
            '@id("own.x") @reason("not_permitted")\nforbid (principal, action == Action::"ask", resource);',
            "needs a @rank",
        ),
        ('@id("own.x") @reason("permitted")\npermit (principal, action, resource);', "must name one action"),
        (
            '@id("conflict.kin") @reason("permitted")\npermit (principal, action == Action::"ask", resource);',
            "is taken",
        ),
        (
            '@id("own.x") @reason("permitted")\npermit (principal == ?principal, action == Action::"ask", resource);',
            "templates",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    problems = what(text)
    assert any(told in problem for problem in problems), problems
    assert all(problem.startswith("own.cedar:") for problem in problems)
    with pytest.raises(MisconfiguredHome, match=r"own\.cedar"):
        RuleSet(with_policy(text))


def test_a_folder_adds_and_replaces_purposes_only(tmp_path: Path) -> None:
    texts = shipped_texts()
    (tmp_path / "purposes.cedar").write_text(texts.policies["purposes.cedar"].replace('[Category::"ssn", ', "["))
    narrowed = load_policy(PolicySettings(folder=tmp_path))
    refused = narrowed.decide(READER, PAYROLL, ASKED)
    assert isinstance(refused, Denial)
    assert refused.reason == "purpose_not_allowed"
    assert narrowed.version != load_policy(PolicySettings()).version
    (tmp_path / "conflicts.cedar").write_text("// none\n")
    with pytest.raises(MisconfiguredHome, match=r"may not replace conflicts\.cedar"):
        load_policy(PolicySettings(folder=tmp_path))


@pytest.mark.parametrize("name", ["missing", "empty", "binary"])
def test_a_folder_that_cannot_be_used_stops_the_start(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    if name != "missing":
        folder.mkdir()
    if name == "binary":
        (folder / "own.cedar").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MisconfiguredHome):
        load_policy(PolicySettings(folder=folder))


def test_no_permit_of_an_agency_opens_a_conflict() -> None:
    text = '@id("own.all") @reason("permitted")\npermit (principal, action == Action::"ask", resource);'
    policy = Policy(RuleSet(with_policy(text)))
    kin = policy.decide(READER, PAYROLL, replace(ASKED, relations=frozenset({Relation.KIN})))
    assert isinstance(kin, Denial)
    assert isinstance(
        policy.decide(READER, Purpose(PurposeCode("payroll")), replace(ASKED, asked=frozenset(Category))), Permit
    )


def test_a_policy_may_ask_for_a_note_and_for_masks() -> None:
    note = (
        '@id("own.note") @reason("note_needed") @rank("35")\n'
        'forbid (principal, action == Action::"ask", resource) unless { context.has_note };\n'
        '@id("form.ssn") @reason("masked") @rank("70")\n'
        'forbid (principal, action == Action::"show_full", resource)\n'
        'when { resource.categories.contains(Category::"ssn") };\n'
    )
    policy = Policy(RuleSet(with_policy(note)))
    without = policy.decide(READER, PAYROLL, ASKED)
    assert isinstance(without, Denial)
    assert without.reason == "note_needed"
    shown = policy.decide(READER, replace(PAYROLL, note="Direct deposit"), ASKED)
    assert isinstance(shown, Permit)
    assert (shown.form, shown.rules[-1]) == (Form.MASKED, "form.ssn")


def test_the_switches_are_part_of_the_version() -> None:
    plain, switched = load_policy(PolicySettings()), load_policy(PolicySettings(same_unit=True))
    assert plain.version != switched.version
    assert plain.rules("a", "b") == f"{plain.version} a b"


def test_the_forms_of_case_and_note() -> None:
    policy = load_policy(PolicySettings(case_form=r"WF-\d{6}"))
    code = PurposeCode("payroll")
    assert policy.problems(Purpose(code)) == []
    assert policy.problems(Purpose(code, "WF-123456", "Direct deposit")) == []
    assert [one.code for one in policy.problems(Purpose(code, "WF-1", "."))] == ["case_form", "says_nothing"]
    shipped = load_policy(PolicySettings())
    assert [one.code for one in shipped.problems(Purpose(code, "-", "x"))] == ["case_form", "says_nothing"]
    with pytest.raises(MisconfiguredHome, match="case_form"):
        PolicySettings(case_form="(")


def test_the_words_of_the_schema_are_those_of_the_code() -> None:
    schema = shipped_texts().schema
    for name, members in (
        ("Role", Role),
        ("Category", Category),
        ("Tier", Tier),
        ("Relation", Relation),
    ):
        [line] = [line for line in schema.splitlines() if line.startswith(f"entity {name} enum")]
        assert line.split('"')[1::2] == [member.value for member in members]


def test_what_policies_make_of_each_purpose() -> None:
    policy = load_policy(PolicySettings())
    assert {one.code: (one.opens, one.needs_case, one.hl7) for one in policy.purposes} == SHIPPED
    assert [one.code for one in policy.purposes if one.needs_step_up] == ["safety"]


def test_a_situation_holds_no_identifier() -> None:
    one = situation_of(READER, PAYROLL, ASKED)
    other = replace(READER, id=PrincipalId(new_id()), name="issuer#other", unit="Elsewhere")
    record = RecordFacts(RecordId(new_id()), Category.SSN, Tier.CONFIDENTIAL)
    assert one == situation_of(other, PAYROLL, replace(ASKED, records=(record,)))
