"""Comparing tokens that were taken back with what the ledger says of them: one that is gone would be taken again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import PrincipalId
from registry.services.check_petitions import MOST_APART_MS
from registry.services.kernel import Kernel, account_label, token_label
from registry.services.ports import Work
from registry.services.revoke import ALWAYS, KEPT_MS, ONE_TOKEN, REVOKED

_OF_ACCOUNT = re.compile(r"^tokens of ([0-9a-f]{32}) issued until ([0-9]{1,16})$")
_Name = tuple[str, str]  # issuer and token id of a token; an empty text and the id of an account


@dataclass(frozen=True, slots=True)
class _Said:
    """What the last entry about a token or an account says: issued until when, and when that was said."""

    before: int
    unix_ms: int
    entry: int


@dataclass(slots=True)
class StandingRevocations:
    """What the entries say of tokens taken back, taken together."""

    said: dict[_Name, _Said] = field(default_factory=dict)
    newest_ms: int = 0

    def take(self, index: int, unix_ms: int, values: Mapping[str, str]) -> None:
        """Add one entry of kind ``grant``; those that take nothing back say nothing here."""
        if values["result"] != REVOKED:
            return
        told = _OF_ACCOUNT.match(values["detail"])
        if told is not None:
            self.said["", told[1]] = _Said(int(told[2]), unix_ms, index)
        elif values["detail"] == ONE_TOKEN:
            issuer, _, token_id = values["request"].partition("#")
            self.said[issuer, token_id] = _Said(ALWAYS, unix_ms, index)
        self.newest_ms = unix_ms

    def check(self, kernel: Kernel, work: Work) -> None:
        """Compare every row.

        What had ended when the newest one was written may have been forgotten; it was about expired tokens only.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        left = {_label(kernel, name): said for name, said in self.said.items()}
        for row in work.revocations.listing():
            said = left.pop(row.label, None)
            if said is None:
                raise LedgerCorrupt("a token is taken back that no entry speaks of")
            if said.before != row.before or abs(said.unix_ms + KEPT_MS - row.until) > MOST_APART_MS:
                raise LedgerCorrupt("a token is not taken back as it says", said.entry)
        lost = [said.entry for said in left.values() if said.unix_ms + KEPT_MS > self.newest_ms + MOST_APART_MS]
        if lost:
            raise LedgerCorrupt("the token that it took back is taken again: its row is missing", min(lost))


def _label(kernel: Kernel, name: _Name) -> bytes:
    issuer, identifier = name
    return token_label(kernel, issuer, identifier) if issuer else account_label(kernel, PrincipalId(identifier))
