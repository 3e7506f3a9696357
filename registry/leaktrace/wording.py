"""Every sentence of a trace report that says what the evidence means. Renderers lay out; they do not word.

Rules that the tests hold: no word of guilt, no percentage, no posterior, no name or id of an account, no ranking.
Sources: the tiers and the fixed sentences follow the verbal practice of forensic reports (statements about the
source of a copy, never about an act of a person).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.domain.case_states import ReplyBy
from registry.leaktrace.marked_copies import CopyEvidence

FIRST_LINE = (
    "A copy is not a person: this report says which accounts were served copies of the found values; it cannot say "
    "who published them, and it must never be the sole basis for discipline or accusation."
)

GAP_CAP = (
    "The ledger is incomplete for at least one person in this report. Copies may be missing from every list below, "
    "so no result can be stronger than a lead, and an empty list proves nothing."
)

LEAD = (
    "Worth a conversation or a log review; not a finding. The accounts are one group, in the order of first serving, "
    "and are not ranked."
)

NOT_RANKED = (
    "Order: by the time of the first copy. It is not an order of suspicion, and the number of found values that an "
    "account's copies held is not a measure of it: whoever looks up more holds more."
)

NOT_FROM_HERE = (
    "Not from here: the text may come from a source outside this registry. This hypothesis is always open. Everything "
    "listed in this report would be listed just the same if nobody here had anything to do with the text."
)

OUTSIDE_ASSUMPTION = (
    "How obtainable each kind of value is outside the registry, from 0 (never) to 1 (always). These are assumptions "
    "of this version, not measurements, and they are not chances that the text came from anywhere. Several "
    "kinds together are at most as obtainable as the least obtainable one; the numbers are not to be multiplied."
)

LABELS_NOTE = (
    "Accounts carry neutral labels and are not named in this report. An auditor can resolve a label through the "
    "ledger entries listed with it."
)

EXPOSURES_NOTE = (
    "Values reach people without any lookup: whoever enrolled, supplied or changed them, the household, whoever "
    "handled an import file, and earlier investigators who pasted them. None of these was served a copy, and each "
    "could be the source no less than an account that was."
)

SAME_NOTE = (
    "Accounts in one row were served the same found values: nothing in the text's content can separate them. Accounts "
    "in different rows are not separated by that either, since a text can be put together from several copies or from "
    "outside."
)

INTERNAL_OPENS_NOTE = (
    "Internal opens are the system comparing, maintaining or re-encrypting a value. Nobody was shown it, so they are "
    "never candidate copies; they are listed so that the account of the values is complete."
)

NO_PUBLICATION_TIME = (
    "No publication time was stated, so every copy up to the time of this trace is listed, including copies that may "
    "have been served because of the publication."
)

UNKNOWN_GAP = "Which copies the missing ledger entries would have shown."
UNKNOWN_PUBLICATION = "When the text was first published, and so which of the listed copies are too late to matter."
UNKNOWN_EARLIER = "Whether the text was shown or sent somewhere before the stated publication time."
CHANGES_GAP = "The missing ledger entries, from a witness, a backup or the subjects' own receipts."
CHANGES_BUDGET = (
    "A year's budget of false flags that is not spent: the same text may be traced again once earlier investigations "
    "are more than 365 days old."
)
CHANGES_PUBLICATION = "The time of first publication: copies served later are then listed apart."

CONFIDENCE_NOTE = (
    "Match confidence (0 to 1) is how sure the matcher is that the text holds this value. It says nothing about where "
    "the text comes from."
)

PLACES_NOTE = "Places are code points of the text as given, first included, last excluded. No value is printed here."

_ABBREVIATIONS = {"ssn": "SSN", "email": "e-mail"}


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers that the sentences speak of.

    Attributes:
        findings, people: found values and persons.
        accounts: accounts with at least one candidate copy.
        copies: candidate copies.
        full: accounts whose copies held every found value.
    """

    findings: int
    people: int
    accounts: int
    copies: int
    full: int


def many(count: int, one: str, more: str = "") -> str:
    """Return ``1 copy``, ``3 copies``: a count with its noun."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def kind_words(kind: str) -> str:
    """Return a kind for people: ``phone:mobile`` as ``phone (mobile)``, ``ssn`` as ``SSN``."""
    category, _, form = kind.replace("_", " ").partition(":")
    category = _ABBREVIATIONS.get(category, category)
    return f"{category} ({form})" if form else category


def budget_counted(investigations: int, expected: float) -> str:
    """Say how many investigations of a year stand beside this one, and what follows."""
    return (
        f"In the 365 days up to this one, {many(investigations, 'investigation')} compared the writing of a text with "
        f"served copies, this one included: at most {expected:.3g} of them are to be expected to have called a copy "
        "without a part strong or more."
    )


def budget_spent(limit: int) -> str:
    """Say that a year's investigations are more than may lead further than a lead."""
    return (
        f"The agency lets {many(limit, 'investigation')} of 365 days lead further than a lead, and this one comes "
        "after them: its result is a lead at most, whatever the writing says."
    )


def none_tier(accounts: int) -> str:
    """Word the tier ``none``."""
    saw = "the 1 account that was" if accounts == 1 else f"the {accounts} accounts that were"
    if not accounts:
        return "No inference about any person is supported."
    return (
        f"The evidence does not distinguish {saw} served these values from outside sources. "
        "No inference about any person is supported."
    )


def broken_commitment(entry: int) -> str:
    """Say that a copy is not what its entry committed to when it was served."""
    return f"what entry {entry} committed to of the served copy is not what was drawn for it; the copy is left out"


def no_findings() -> str:
    """Say that nothing was found, and what that does not mean."""
    return (
        "No protected value of this registry was found in the text. That does not show that the text holds none: a "
        "value written in a way that the matcher does not read is missed."
    )


def found_what(counts: Counts, kinds: Sequence[str]) -> str:
    """Say how much was found, and of which kinds."""
    return (
        f"{many(counts.findings, 'protected value')} of {many(counts.people, 'person', 'people')} "
        f"{'occurs' if counts.findings == 1 else 'occur'} in the text: {', '.join(map(kind_words, kinds))}."
    )


def nothing_served(*, until: str, complete: bool) -> str:
    """Say that no copy could be the source, as far as the ledger shows it."""
    if complete:
        return (
            f"Nothing of this was served from here {until}: the registry's disclosures do not explain it. Whoever "
            "supplied or held the values without a served copy is listed under source exposures."
        )
    return (
        f"No copy of a found value served {until} is in the ledger, but the ledger has gaps: copies may have been "
        "served all the same, and nothing follows from the empty list."
    )


def served_what(counts: Counts, *, until: str) -> str:
    """Say how many accounts and copies are candidates."""
    return (
        f"{many(counts.accounts, 'account')} {'was' if counts.accounts == 1 else 'were'} served "
        f"{many(counts.copies, 'copy', 'copies')} of at least one found value {until}."
    )


def unmarked_copies(unmarked: int, copies: int) -> str:
    """Say how many served copies carry no marks, and what follows from it."""
    share = f"{unmarked} of these {copies} copies"
    if unmarked == copies:
        share = "This copy" if copies == 1 else f"All {copies} of these copies"
    return (
        f"{share} {'was' if unmarked == 1 else 'were'} served without marks: the writing of the text says nothing "
        "about accounts that were served such copies of the same values."
    )


NOTHING_READ = (
    "Copies were served with marks, but in the text no place was recognised where their writing differs: it says "
    "nothing about any of them."
)

MARKS_NOTE = (
    "Each account is served values in usual writings that were drawn for it, and committed to in the ledger, before "
    "anybody knew of this text. The writing of the text was read without looking at any draw, and fixed in the ledger "
    "before draws were compared. The bound is the share of investigations without any copy's part in which this rule "
    "would flag one; it holds whatever the leaker did. It is no probability that somebody did something."
)

BOUND_EXCLUDES = (
    "The bound says nothing about whoever holds the key of the marks, or saw, photographed or was handed the copy: "
    "those write like the copy. The account's holder is shown the opened marks and given time to reply."
)

CURVE_NOTE = (
    "What remains for each copy depends on how likely an outside source was beforehand, which nobody knows: it is "
    "shown over a range. What times, cases and overlap say is not in these numbers."
)


def marks_read(values: int, slots: int) -> str:
    """Say how much of the writing was read."""
    return (
        f"The writing of {many(values, 'found value')} was read in {many(slots, 'place')} where served copies differ, "
        "before any copy was looked at."
    )


def strong_tier(label: str, *, top: bool) -> str:
    """Word the tiers above a lead: about a copy, never about a person."""
    strength = "extremely strong" if top else "strong"
    return f"The writing of the text gives {strength} support that it derives from a copy served to {label}."


def bound_reason(label: str, bound: float) -> str:
    """Say what the bound of a copy is."""
    return (
        f"{label}: at most {bound:.2g} of investigations of texts in which no copy had a part would flag any copy like "
        "this."
    )


def secret_seen(labels: str) -> str:
    """Say of which copies the drawing secret was seen, and what follows."""
    return (
        f"{labels}: drawn by a secret that was seen by somebody, as the ledger tells of its exchange. Whoever had it "
        "can write like these copies and make their receipt codes, so that their writing carries a lead at most."
    )


def slots_reason(label: str, evidence: CopyEvidence) -> str:
    """Say on how many places it rests, and how many speak against it."""
    against = evidence.slots - evidence.agreeing
    return (
        f"{label}: of {many(evidence.slots, 'place')} read, {evidence.agreeing} are written as its copies were, "
        f"{against} otherwise."
    )


CODES_NOTE = (
    "Each lookup shows a receipt code, made with a secret key from its entry's place in the ledger. Whoever copies the "
    "page may copy the code along. What stands in the text in the form of a code was fixed in the ledger before it was "
    "compared with the codes of served copies."
)
CODE_ALONE = (
    "A code alone can be put under any text by whoever saw it on a screen or on paper; where the writing does not "
    "agree with the copy far beyond chance as well, it carries no more than a lead."
)


def code_reason(code: str, entry: int, label: str) -> str:
    """Say whose code stands in the text."""
    return f"The receipt code {code}, of the copy served to {label} by entry {entry}, stands in the text."


def code_chance(chance: float) -> str:
    """Say how likely an accident is."""
    return f"The chance that a code in the text agrees with any compared copy by accident is at most {chance:.1e}."


def written_chance(label: str, chance: float) -> str:
    """Say how often the writing would agree so well if somebody had put the code under another text."""
    return (
        f"If somebody else had put the code there, the writing would agree so well with the copy of {label} in at most "
        f"{chance:.1e} of all cases."
    )


def code_tier(label: str) -> str:
    """Word what a code and the writing carry together: about a copy, never about a person."""
    return (
        f"A receipt code in the text and its writing give strong support that it derives from a copy served to {label}."
    )


def others_too(labels: Sequence[str]) -> str:
    """Say that other copies reach the same tier."""
    return f"The same holds for {', '.join(labels)}: several copies may have been put together."


def indistinguishable(counts: Counts, *, set_apart: bool = False) -> str:
    """Say how many accounts cannot be told apart by their values.

    Args:
        counts: of the report.
        set_apart: whether the writing of the text or a receipt code does set copies apart.
    """
    if counts.accounts == 1:
        return (
            "One account is listed. Being the only one listed is not evidence of being the source: outside sources, "
            "source exposures, a copy seen over a shoulder and a borrowed sign-in remain."
        )
    head = f"{counts.accounts} accounts cannot be distinguished from one another by what they were served."
    if set_apart:
        head = (
            f"By which values they were served alone, {counts.accounts} accounts cannot be distinguished from one "
            "another; what sets copies apart is how they are written, or the code of an entry."
        )
    if counts.full == counts.accounts:
        return f"{head} The copies of all of them held every found value."
    since = "since a text can be put together from several copies or from outside."
    if not counts.full:
        return f"{head} No single account's copies held every found value, and none is ruled out by that, {since}"
    return (
        f"{head} The copies of {counts.full} of them held every found value; the others are not ruled out by that, "
        f"{since}"
    )


def unexplained(labels: Sequence[str], named: str, until: str) -> str:
    """Say that some values were in no candidate copy."""
    subject = "was" if len(labels) == 1 else "were"
    return (
        f"{named} {subject} in no copy served {until}: served copies alone do not explain the whole text. "
        "Another source had a part in it, or the ledger does not show all."
    )


def unknown_record(named: str) -> str:
    """Say that some findings name no single record."""
    return f"Which record {named} stands for exactly: every copy of that category for the person is listed."


def shared_places(named: str) -> str:
    """Say that several findings rest on one place of the text."""
    return (
        f"Whose record is meant where one place in the text is the value of several records ({named}): such a value "
        "counts once for each of them, and each copy of any of them is listed."
    )


def items_counted(items: int, again: int) -> str:
    """Say by what rule several items count."""
    rest = f"{many(again, 'value')} {'stands' if again == 1 else 'stand'} in another item again, which adds no weight"
    return (
        f"The text is put together of {items} items, each hashed and fixed by an entry of its own. A value counts "
        "once, in the first item that has it, as it is written there and by that item's time: "
        f"{rest if again else 'no value stands in two of them'}."
    )


def continued(trace: str) -> str:
    """Say that a case was judged before."""
    return (
        f"This continues the case of trace {trace}, to which an item with new values was added. What was judged there "
        "is judged here again, so the two results are one, and nothing of them is to be added or multiplied; each "
        "judgement counts as an investigation of its own in the year's budget of false flags."
    )


ITEMS_NOTE = (
    "Items stand in the order of their first-seen times, and those that were added later behind them. Addresses of "
    "pages are printed as told, and were not fetched."
)
SIGHTINGS_NOTE = (
    "The same values seen again add nothing: a post that was copied is a copy of a copy. Values that no earlier item "
    "has are new evidence; an item that had values before the time of this case clears whoever was served between the "
    "two. Either is judged in a trace of its own, which continues this case."
)


def sighting(again: int, fresh: int, continued_by: str, *, earlier: int = 0) -> str:
    """Say what followed from an item that was added later; ``earlier`` of ``again`` were seen there before."""
    repeated = f"{many(again, 'value')} of earlier items {'stands' if again == 1 else 'stand'} in it again"
    if earlier:
        repeated += f", {earlier} of them before the time that the case was judged by"
    if not fresh and earlier:
        return f"{repeated}. Everything was judged anew in trace {continued_by}."
    if not fresh:
        return f"{repeated if again else 'No protected value was found in it'}; nothing is new, so it adds no weight."
    new = f"{many(fresh, 'value')} in it {'is' if fresh == 1 else 'are'} new"
    return f"{new}{'; ' + repeated if again else ''}. Everything was judged anew in trace {continued_by}."


_REPLIED = {
    ReplyBy.SUBJECT: "a person whose values were found",
    ReplyBy.UNIT: "the unit of an account",
    ReplyBy.OTHER: "somebody else",
}


def replied_by(by: ReplyBy, account: str) -> str:
    """Say who replied, by nobody's name."""
    return account if by is ReplyBy.ACCOUNT_HOLDER else _REPLIED[by]


REPLIES_NOTE = (
    "Those whose copies this report speaks of have the right to answer it. What they said is printed as it was "
    "recorded, and nobody has checked it here."
)
NO_REPLY = (
    "No reply of the person who has the account is recorded. Nothing is to follow before they had time to give one."
)


def copies_in_doubt(copies: int) -> str:
    """Say that the stated publication time does not tell whether copies were served before it."""
    told = "copy was" if copies == 1 else "copies were"
    return (
        f"{copies} {told} served so near to the stated publication time that it may have been before or after it. "
        "Such a copy stays a possible source."
    )


def tier_reasons(counts: Counts, *, published: bool, marked: bool) -> tuple[str, ...]:
    """Say why no stronger tier than ``lead`` exists here, and what a missing publication time does."""
    rest = "What was read of them singles no copy out" if marked else "Nothing of them was read here"
    reasons = [
        (
            "Only evidence that we randomise ourselves (marks drawn for each copy) can attribute a text to a copy. "
            f"{rest}, so who was served what, overlap and times are all there is: they can support a lead at most."
        )
    ]
    if counts.findings and not published:
        reasons.append(
            "No publication time was stated. Copies served because of the publication cannot be told from copies "
            "served before it, so the tier is none."
        )
    return tuple(reasons)


def lead_reason(names: str, limit: float) -> str:
    """Say what made it a lead."""
    return (
        f"It is a lead because copies served before publication held {names}, of a kind that is assumed not to be "
        f"easily obtainable outside ({limit:g} or less in the table of outside sources)."
    )


def none_reason(limit: float) -> str:
    """Say why there is no lead although copies were served."""
    return (
        "It is not a lead because every found value that served copies held is of a kind that is assumed to be easily "
        f"obtainable outside (more than {limit:g} in the table of outside sources)."
    )


MUST_NOT = (
    "Do not conclude that a listed account, or the person who usually uses it, published the text.",
    (
        "Do not conclude that an account that is not listed had no part in it: screens are seen, prints are passed on, "
        "sign-ins are borrowed or stolen, and supplied values never needed a lookup."
    ),
    "Do not read the order of accounts, the number of values they hold or the time before publication as a score.",
    (
        "Do not multiply the outside assumptions, and do not turn anything in this report into a probability that a "
        "person did something."
    ),
    (
        "Do not use this report as the sole basis for discipline. Whoever is asked about it is told what it rests on "
        "and is given time to reply."
    ),
)

ALWAYS_UNKNOWN = (
    "Whether the text was made from a copy served here at all.",
    "Who sat at the account when a copy was served, who else saw the screen, and where a copy was passed on.",
    "Whether anyone reached the values by the database, a backup or an export instead of a lookup.",
    "Whether several sources were put together.",
)

ALWAYS_CHANGES = (
    "An earlier appearance of the same text or values anywhere: copies served after it cannot be its source.",
    "A page outside that shows the same value, found with its date: it makes the outside source likelier for all.",
    "Device, network and session records for the listed entries, and the case that each stated purpose refers to.",
    "More of the original text, or its original file instead of a transcription.",
    "Other values for the outside assumptions: they decide between none and lead.",
)
