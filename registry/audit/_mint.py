"""The one object that lets a receipt be made. Imported by receipt.py and log.py alone; a contract checks it."""

from __future__ import annotations

from typing import final


@final
class Mint:
    """Has no content: being this very object is the whole credential."""

    __slots__ = ()


MINT = Mint()
