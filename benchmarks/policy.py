"""What decisions cost: one alone, remembered or not; and lookups under the full policy against one that permits all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.registries import filled, look_up_in_process
from benchmarks.serving import Plan
from benchmarks.table import markdown, number, ratio
from registry.bootstrap import Application, opened
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId, new_id
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import Decision, Facts, Permit, RecordFacts
from registry.policy.engine import Policy, load_policy
from registry.policy.settings import PolicySettings
from registry.policy.situation import situation_of
from registry.services.disclose import Disclose

_DECISIONS = 2_000
_BATCH = 16
_LOOKUPS = 1_280
_READER = Principal(PrincipalId(new_id()), "issuer#reader", frozenset({Role.READER}))
_PURPOSE = Purpose(PurposeCode("payroll"))
_FACTS = Facts(frozenset({Category.SSN}), (RecordFacts(RecordId(new_id()), Category.SSN, Tier.CONFIDENTIAL),))


class _Permissive(Policy):
    """Permits whatever is asked, without looking."""

    def decide(self, principal: Principal, purpose: Purpose, facts: Facts) -> Decision:  # noqa: ARG002 - it does not look
        return Permit(tuple([record.record for record in facts.records]), ("permit.all",))


def policy(plan: Plan) -> str:
    """Measure decisions, and lookups with and without them, in turn."""
    full = load_policy(PolicySettings())
    situation = situation_of(_READER, _PURPOSE, _FACTS)
    rows = [
        ["three questions to Cedar", *_microseconds(lambda: full.judge(situation))],
        ["a decision whose situation is known", *_microseconds(lambda: full.decide(_READER, _PURPOSE, _FACTS))],
    ]
    decisions = markdown(["", "p50, us", "p99, us"], rows)
    with TemporaryDirectory(prefix="registry-bench-") as name:
        registry = filled(Path(name), min(plan.people, _BATCH * 16))
        with opened(registry.settings) as application:
            lookups = _lookups(application, registry.people, plan.rounds)
    return f"{decisions}\n\nLookups of 6 records in process, {_BATCH} a commit, in turn:\n\n{lookups}"


def _microseconds(act: Callable[[], object]) -> tuple[str, str]:
    took = []
    for _ in range(_DECISIONS):
        started = time.perf_counter()
        act()
        took.append((time.perf_counter() - started) * 1e6)
    return f"{median(took):.1f}", f"{quantiles(took, n=100)[98]:.1f}"


def _lookups(application: Application, people: int, rounds: int) -> str:
    kernel, limits = application.kernel, application.settings.limits(application.profile)
    permissive = _Permissive.__new__(_Permissive)
    permissive.__dict__.update(kernel.policy.__dict__)
    ways = {"the full policy": kernel.policy, "a policy that permits all": permissive}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, chosen in ways.items():
            once = replace(application, disclose=Disclose(replace(kernel, policy=chosen), limits))
            started = time.perf_counter()
            for first in range(0, _LOOKUPS, _BATCH):
                look_up_in_process(once, [(first + step) % people for step in range(_BATCH)])
            rates[name].append(_LOOKUPS / (time.perf_counter() - started))
    middle = {name: median(found[1:]) for name, found in rates.items()}
    base = middle["a policy that permits all"]
    rows = [[name, number(rate), ratio(rate / base)] for name, rate in middle.items()]
    return markdown(["", "lookups/s", "of permissive"], rows)
