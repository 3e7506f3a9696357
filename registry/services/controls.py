"""The settings by which a registry restrains the people who use it, as the ledger states them: one text, one digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from itertools import starmap
from typing import NamedTuple

from registry.domain.approvals import Action, ApprovalRules
from registry.services.brakes import BrakeLimits
from registry.services.witnesses import WitnessSettings

NONE = "none"
# What an entry of a change is about, and what stands before the text in its detail; the first entry has it too.
CONTROLS = "controls"
# What the entry is about by which a second person lets other policies or settings come into force.
AGREED = "agreed"
_DUAL_CONTROL = "approvals.dual_control"
_SAID = re.compile(r"^(?:a new registry|before nothing|before \S+ entry (\d+)); (.*)$")


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long what entries say of lookups is kept: shortened, it takes evidence away from whoever would ask for it."""

    openings_kept_days: int


class Controls(NamedTuple):
    """What restrains people: approvals and emergencies, brakes, when service stops without witnesses, what is kept."""

    approvals: ApprovalRules
    brakes: BrakeLimits
    witness: WitnessSettings
    retention: RetentionSettings

    @property
    def text(self) -> str:
        """Every setting as ``name=value``, in order, joined by a semicolon; defaults are written out.

        A later version's other default is thus a change too. Of the witnesses' policy it says whether there is one.
        """
        named: dict[str, object] = {}
        for table, settings in self._asdict().items():
            named |= {f"{table}.{one.name}": getattr(settings, one.name) for one in fields(settings)}
        named["witness.policy"] = "set" if self.witness.policy is not None else NONE
        return "; ".join(f"{name}={_written(named[name])}" for name in sorted(named))

    @property
    def version(self) -> str:
        """Digest of the text."""
        return version_of(self.text)


class Changed(NamedTuple):
    """One setting and its values; empty where it was not known, or is known no more."""

    setting: str
    before: str
    after: str


def version_of(text: str) -> str:
    """Return the digest of a text of settings."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def controls_said(values: Mapping[str, str]) -> str:
    """Return the text of settings that an entry states; empty where it states none."""
    told = _SAID.match(values.get("detail", ""))
    return "" if told is None else told[2]


def entry_before(values: Mapping[str, str]) -> int | None:
    """Return the index of the entry that stated the settings before; None where there is none."""
    told = _SAID.match(values.get("detail", ""))
    return None if told is None or told[1] is None else int(told[1])


def compared(before: str, after: str) -> tuple[Changed, ...]:
    """Return the settings that differ between two texts, by name."""
    old, new = _read(before), _read(after)
    differing = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return tuple(Changed(name, old.get(name, ""), new.get(name, "")) for name in differing)


def is_under_dual_control(text: str, action: Action) -> bool:
    """Tell whether a text of settings puts an action under dual control."""
    return action in _read(text).get(_DUAL_CONTROL, "").split()


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(starmap("{}:{}".format, sorted(value.items()))) or NONE
    if isinstance(value, frozenset):
        return " ".join(sorted(value)) or NONE
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split("; ") if one)
    return {name: value for name, _, value in pairs}
