"""Whether a token has opened a card with sealed records before, where its issuer's settings give each one card."""

from __future__ import annotations

from collections.abc import Iterable

from registry.domain.marks import Tier
from registry.domain.principals import Principal
from registry.services.kernel import Kernel
from registry.services.ports import RecordRow, Work
from registry.services.use_once import kept_until, used_label

# The rule that an entry names.
RULE = "token.used"


class UsedTokens:
    """Uses tokens up in the transaction that records what they open: what is rolled back has used none."""

    def __init__(self, kernel: Kernel, work: Work) -> None:
        self._kernel = kernel
        self._work = work

    def may_open(self, principal: Principal, rows: Iterable[RecordRow]) -> bool:
        """Tell whether a card may be opened with a token, and use the token up if the card has sealed records."""
        until = principal.one_sealed_until
        if not until or all(row.tier is not Tier.SEALED for row in rows):
            return True
        label = used_label(self._kernel, "sealed", f"{principal.name}\n{principal.token_id}")
        return self._work.used_names.use(label, kept_until(until))
