"""Who may see what: the Cedar policies, asked three questions. Pure, never raises; whatever goes wrong is a denial."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import NamedTuple

import cedarpy

from registry.domain.categories import Category
from registry.domain.enrollment import FieldProblem
from registry.domain.ids import PrincipalId
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import (
    NOT_PERMITTED,
    PURPOSE_NOT_ALLOWED,
    Decision,
    Denial,
    Facts,
    Form,
    Permit,
)
from registry.policy.rule_set import (
    ASK,
    RELEASE,
    SHOW_FULL,
    VIEW_OWN,
    Rule,
    RuleSet,
    checked_once,
    shipped_texts,
    texts_with,
)
from registry.policy.settings import LEAST_NOTE, PolicySettings
from registry.policy.situation import Situation, entities_of, request_of, situation_of

# Situations are few (roles, purpose, sets of categories); this many are more than a busy day has.
REMEMBERED = 8_192
NO_PURPOSE = "purpose.none"
NO_PERMIT = "permit.none"
FAILED = "engine.failed"
_ANY_READER = Principal(PrincipalId("reader"), "reader", frozenset({Role.READER}))


class Verdict(NamedTuple):
    """A decision on a situation; records are not part of it. ``reason`` is empty for a permit."""

    reason: str
    rules: tuple[str, ...]
    form: Form = Form.AS_ENTERED


class PurposeFacts(NamedTuple):
    """What the policies in force make of one purpose.

    Attributes:
        code: of the purpose.
        hl7: HL7's code that may be stated instead, or empty.
        opens: categories that a reader may be shown for it.
        needs_case: whether a case reference must be given.
        needs_step_up: whether it takes a strong and recent sign-in.
    """

    code: PurposeCode
    hl7: str
    opens: frozenset[Category]
    needs_case: bool
    needs_step_up: bool


class _EngineFailedError(Exception):
    """Cedar could not decide, or not all of its policies could."""


class _Answer(NamedTuple):
    is_allowed: bool
    rules: tuple[str, ...]
    reason: str


class Policy:
    """A checked set of policies. Decisions depend on the situation alone, so each is made once and remembered."""

    def __init__(self, rule_set: RuleSet, settings: PolicySettings | None = None) -> None:
        self._rule_set = rule_set
        self._settings = PolicySettings() if settings is None else settings
        self._case_form = re.compile(self._settings.case_form)
        switched = sha256(f"{rule_set.digest} {self._settings.same_unit} {self._settings.case_form}".encode())
        self.version = f"cedar:{switched.hexdigest()}"
        self._remembered = lru_cache(REMEMBERED)(self.judge)

    def rules(self, *ids: str) -> str:
        """Write in an entry which policies were in force and which rules decided."""
        return " ".join((self.version, *ids))

    def rule(self, identifier: str) -> Rule | None:
        """Return one policy's annotations and place; None for what is no policy, such as ``purpose.none``."""
        return self._rule_set.rules.get(identifier)

    @property
    def codes(self) -> frozenset[PurposeCode]:
        """The codes of all purposes that this registry has."""
        return self._rule_set.texts.purposes.codes

    def stated(self, purpose: Purpose) -> Purpose:
        """Return a purpose under this registry's own code, where HL7's was given."""
        own = self._rule_set.texts.purposes.by_hl7.get(purpose.code)
        return purpose if own is None else replace(purpose, code=own)

    @cached_property
    def every_purpose(self) -> tuple[PurposeFacts, ...]:
        """The purposes that are declared, with what the policies make of each."""
        return tuple(self._facts_of(one.code, one.hl7) for one in self._rule_set.texts.purposes.declared)

    @property
    def purposes(self) -> tuple[PurposeFacts, ...]:
        """Those that open anything."""
        return tuple(one for one in self.every_purpose if one.opens)

    def _facts_of(self, code: PurposeCode, hl7: str) -> PurposeFacts:
        def opens(category: Category, *, case: bool = True, step_up: bool = True) -> bool:
            said = Purpose(code, "C" if case else "", "N")
            facts = Facts(frozenset({category}), (), step_up=step_up)
            return isinstance(self._decide(_ANY_READER, said, facts), Permit)

        opened = frozenset(filter(opens, Category))
        needs_case = any(not opens(one, case=False) for one in opened)
        return PurposeFacts(code, hl7, opened, needs_case, any(not opens(one, step_up=False) for one in opened))

    def problems(self, purpose: Purpose) -> list[FieldProblem]:
        """Tell what of a stated purpose is not in the form that is asked for; pointers below the purpose."""
        found = [] if purpose.code in self.codes else [FieldProblem("/code", "not_one_of")]
        if purpose.case and self._case_form.fullmatch(purpose.case) is None:
            found.append(FieldProblem("/case", "case_form"))
        if purpose.note and sum(map(str.isalnum, purpose.note)) < LEAST_NOTE:
            found.append(FieldProblem("/note", "says_nothing"))
        return found

    def decide(self, principal: Principal, purpose: Purpose, facts: Facts) -> Decision:
        """Decide one ask by an authorized staff member.

        Args:
            principal: who asks, with roles as the principals table says now.
            purpose: the stated purpose; its form has been checked.
            facts: the subject's records named by the ask, relations, approvals, brakes.

        Returns:
            A permit for the named records, or a denial with the reason of the first rule that refuses.
        """
        return self._decide(principal, purpose, facts)

    def decide_own(self, principal: Principal, facts: Facts) -> Decision:
        """Decide a subject's ask for their own card."""
        return self._decide(principal, None, facts)

    def _decide(self, principal: Principal, purpose: Purpose | None, facts: Facts) -> Decision:
        try:
            verdict = self._remembered(situation_of(principal, purpose, facts))
        except Exception:  # noqa: BLE001 - an engine that fails in whatever way must not open anything
            return Denial(NOT_PERMITTED, (FAILED,))
        if verdict.reason:
            return Denial(verdict.reason, verdict.rules)
        return Permit(tuple([record.record for record in facts.records]), verdict.rules, verdict.form)

    def judge(self, situation: Situation) -> Verdict:
        """Decide a situation, without remembering."""
        if situation.purpose is None:
            own = self._ask(VIEW_OWN, situation)
            return Verdict("" if own.is_allowed else own.reason, own.rules)
        asked = self._ask(ASK, situation)
        if not asked.is_allowed:
            return Verdict(asked.reason, asked.rules)
        released = self._ask(RELEASE, situation)
        if not released.is_allowed:
            return Verdict(released.reason, released.rules)
        shown = self._ask(SHOW_FULL, situation)
        form = Form.AS_ENTERED if shown.is_allowed else Form.MASKED
        return Verdict("", asked.rules + released.rules + shown.rules, form)

    def _ask(self, action: str, situation: Situation) -> _Answer:
        request = request_of(action, situation, same_unit_conflicts=self._settings.same_unit)
        entities = entities_of(situation)
        result = cedarpy.is_authorized(request, self._rule_set.policies, entities, schema=self._rule_set.schema)
        told = result.diagnostics
        # A forbid whose condition fails is skipped by Cedar, and the request allowed: any error is a denial here.
        if told.errors or result.decision is cedarpy.Decision.NoDecision:
            raise _EngineFailedError
        rules = self._ranked(list(told.id_annotations_by_reason.values()))
        if result.decision is cedarpy.Decision.Allow and rules:
            return _Answer(is_allowed=True, rules=rules, reason="")
        if rules:
            return _Answer(is_allowed=False, rules=rules, reason=self._rule_set.rules[rules[0]].reason)
        if action == ASK:
            return _Answer(is_allowed=False, rules=(NO_PURPOSE,), reason=PURPOSE_NOT_ALLOWED)
        return _Answer(is_allowed=False, rules=(NO_PERMIT,), reason=NOT_PERMITTED)

    def _ranked(self, ids: Sequence[str]) -> tuple[str, ...]:
        rules = self._rule_set.rules
        return tuple(sorted(ids, key=lambda one: (rules[one].rank, one)))


def load_policy(settings: PolicySettings) -> Policy:
    """Return the shipped policies with those of an agency.

    Raises:
        MisconfiguredHome: the folder or one of its policies is not usable.
    """
    return Policy(checked_once(texts_with(settings.folder)), settings)


@lru_cache(1)
def shipped_policy() -> Policy:
    """Return the policies that come with the program."""
    return Policy(checked_once(shipped_texts()))
