"""What mails say: what happened, when, in which entry and where to look. No value, no name, no address."""

from __future__ import annotations

from collections.abc import Mapping

from registry.domain.clock import from_unix_ms, iso
from registry.services.notices import NoticeKind
from registry.services.send_notices import Letter

_WORDS: Mapping[NoticeKind, str] = {
    NoticeKind.VIEWER_COPY: "Lookups were recorded in your name. If it was not you, tell your security office now.",
    NoticeKind.APPROVAL_WANTED: "Somebody asks for an approval.",
    NoticeKind.APPROVAL_DECIDED: "Your request was decided.",
    NoticeKind.BREAK_GLASS: "Records were opened in an emergency.",
    NoticeKind.BREAK_GLASS_REVIEW_DUE: "An emergency opening waits for its review.",
    NoticeKind.ALARM: "An alarm was recorded: a decoy was asked for and the account locked, or values were tried out.",
    NoticeKind.QUOTA: "An account reached the limit of people that it may see a day.",
    NoticeKind.DISPUTE: "An entry was disputed, or a dispute was answered.",
    NoticeKind.HOLD_WANTED: "Somebody asks that notices to a subject be held back; it waits for another person.",
    NoticeKind.DIGEST: "Your records or those of your household were looked up. All of it is in your accounting.",
    NoticeKind.CORRECTION: "A correction was asked for or decided.",
    NoticeKind.NAMED: "Your account was named in an investigation: a text agrees with copies that were served to it. "
    "A copy is not a person, and nothing is to follow from it alone. Ask what it rests on; you may dispute the entry.",
    NoticeKind.NEW_ORIGIN: "The ledger goes on under another name: entries are said to be lost, or its key stolen. "
    "Ask whoever was at the machine, and compare it with checkpoints, receipts and witnesses of before.",
    NoticeKind.UNWRAPS: "What the key service wrote down does not agree with the ledger: keys were opened that no "
    "entry explains, or a part of its log was not looked at. The entry says which; it accuses nobody.",
    NoticeKind.CONTACT: "Your contact was set or changed. If it was not you, tell your security office now.",
}


def subject_of(letter: Letter) -> str:
    """Return the line that is seen without opening the mail."""
    return f"Registry: {letter.kind.value.replace('_', ' ')} (entry {letter.index})"


def text_of(letter: Letter, portal: str) -> str:
    """Return the text of a mail."""
    lines = [
        _WORDS[letter.kind],
        "",
        *(f"{one.number} for {one.purpose.replace('_', ' ')}, by {one.unit or 'no unit'}" for one in letter.counts),
        f"When: {iso(from_unix_ms(letter.at_ms))}",
        _entries(letter),
    ]
    if portal:
        lines.append(f"Where to look: {portal}")
    return "\n".join(lines) + "\n"


def _entries(letter: Letter) -> str:
    if not letter.entries:
        return f"Entry of the ledger: {letter.index}"
    return f"Entries of the ledger: {', '.join(map(str, letter.entries))}"
