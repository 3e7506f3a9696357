"""Which purposes may be stated: the shipped ones with those of an agency, from files beside the policies."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from registry.domain.errors import MisconfiguredHome
from registry.domain.purposes import PurposeCode, is_hl7_code, is_purpose_code

PURPOSES_FILE = "purposes.toml"
MAX_PURPOSES = 64


@dataclass(frozen=True, slots=True)
class Declared:
    """One purpose as a file declares it; ``hl7`` is empty or the code of HL7 that stands for it."""

    code: PurposeCode
    hl7: str = ""


@dataclass(frozen=True)
class Purposes:
    """The purposes of one registry, in the order in which they are shown."""

    declared: tuple[Declared, ...]

    @cached_property
    def codes(self) -> frozenset[PurposeCode]:
        """Their codes."""
        return frozenset(one.code for one in self.declared)

    @cached_property
    def by_hl7(self) -> Mapping[str, PurposeCode]:
        """HL7's codes, each with the purpose that it stands for."""
        return {one.hl7: one.code for one in self.declared if one.hl7}

    @property
    def schema(self) -> str:
        """The purposes as a declaration in Cedar's schema language."""
        return f"entity Purpose enum {json.dumps([one.code for one in self.declared])};\n"

    @property
    def canonical(self) -> str:
        """All that is declared, as text: equal when it is."""
        return "\n".join(f"{one.code} {one.hl7}" for one in self.declared)

    def with_own(self, text: str) -> Purposes:
        """Return these and those that an agency's file declares.

        Raises:
            MisconfiguredHome: naming the purpose and what is wrong with it.
        """
        own = tuple(_read(text))
        for one in own:
            if one.code in self.codes:
                raise _wrong(f"{one.code} is a purpose already; what it opens is said in purposes.cedar")
            if one.hl7 and [other.hl7 for other in (*self.declared, *own)].count(one.hl7) > 1:
                raise _wrong(f"{one.code}: hl7: another purpose has {one.hl7}")
        if len(self.declared) + len(own) > MAX_PURPOSES:
            raise _wrong(f"there may be {MAX_PURPOSES} purposes at most")
        return Purposes((*self.declared, *own))


def _read(text: str) -> Iterator[Declared]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _wrong(str(exc)) from None
    for code, given in document.items():
        if not is_purpose_code(code):
            raise _wrong(f"{code[:40]!r} is no code: small letters, digits and single underscores, and not taken")
        if not isinstance(given, dict):
            raise _wrong(f"write each purpose as a table: [{code}]")
        yield _declared(PurposeCode(code), given)


def _declared(code: PurposeCode, given: Mapping[str, Any]) -> Declared:
    if unknown := sorted(set(given) - {"hl7"}):
        raise _wrong(f"{code} has unknown settings: {', '.join(unknown)}")
    hl7 = given.get("hl7", "")
    if not isinstance(hl7, str) or (hl7 and not is_hl7_code(hl7)):
        raise _wrong(f"{code}: hl7 is a code of capital letters")
    return Declared(code, hl7)


def _wrong(what: str) -> MisconfiguredHome:
    return MisconfiguredHome(f"{PURPOSES_FILE}: {what}")
