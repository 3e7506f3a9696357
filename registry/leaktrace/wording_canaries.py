"""What a report says of canaries; beside `wording.py`, and by the same rules."""

from __future__ import annotations

from registry.leaktrace.canaries import LabelledCanary
from registry.leaktrace.wording import many

CANARIES_NOTE = (
    "A canary is a made-up person. The last digits of its telephone number were drawn for each account, as the writing "
    "was, and the range is one that no real person's number is in. The digits were read before any draw was compared, "
    "and are counted once: as places in the bounds above. Whoever saw somebody's copy of a canary can write its digits "
    "down as well: they speak for the copy, and not for who published it."
)


def canary_found(one: LabelledCanary) -> str:
    """Say whose copy has the number of a canary that stands in a text, and how often that happens by accident."""
    told = one.evidence
    head = f"{one.finding} is the number of a canary."
    if told.is_as_enrolled:
        return (
            f"{head} The text has it as it was enrolled, and no marked copy has it so: this speaks for no account, and "
            "for the database, a backup, an unmarked copy or whoever enrolled it."
        )
    compared = f"{many(told.compared, 'account')} that {'was' if told.compared == 1 else 'were'} shown it"
    if not one.accounts:
        return f"{head} The text has digits of its range that were drawn for none of {compared}."
    whose = " and ".join(one.accounts)
    return (
        f"{head} The text has the digits that were drawn for {whose}, one of {told.numbers} equally likely numbers. "
        f"That digits made up at random are those of any of {compared} has a chance of at most {told.chance:.2g}."
    )
