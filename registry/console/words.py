"""The words that pages use for roles, categories, purposes, marks, entry kinds and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from registry.documents.model import Place
from registry.domain.categories import Category
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.domain.purposes import PurposeCode
from registry.policy.decide import (
    APPROVAL_REQUIRED,
    CASE_NEEDED,
    CONFLICT_OF_INTEREST,
    NOT_PERMITTED,
    NOTE_NEEDED,
    PURPOSE_NOT_ALLOWED,
    QUOTA_EXCEEDED,
    STEP_UP_REQUIRED,
)
from registry.policy.engine import Policy, PurposeFacts
from registry.services.disclose import NOT_FOUND
from registry.services.ports import RequestRow

CATEGORIES: Mapping[str, str] = {
    Category.HOME_ADDRESS: "Home address",
    Category.PHONE: "Phone number",
    Category.EMAIL: "E-mail address",
    Category.SSN: "Social security number",
    Category.DATE_OF_BIRTH: "Date of birth",
    Category.PAYMENT_CARD: "Payment card",
    Category.SCHOOL: "School of a child",
    Category.HEALTH: "Health information",
    Category.FAMILY_MEMBER: "Family member",
    Category.VEHICLE_PLATE: "Vehicle plate",
}
# Not a category of its own, but what a search opens; accounting lists name it.
OTHER_CONTENTS: Mapping[str, str] = {"directory": "Name, department and title"}

ROLES: Mapping[str, str] = {
    Role.ENROLLER: "Enroller",
    Role.READER: "Reader",
    Role.APPROVER: "Approver",
    Role.SUBJECT: "Subject",
    Role.INVESTIGATOR: "Investigator",
    Role.AUDITOR: "Auditor",
    Role.RECORDS_OFFICER: "Records officer",
    Role.SECURITY_ADMIN: "Security administrator",
}

TIERS: Mapping[str, str] = {
    Tier.NONE: "Not marked",
    Tier.CONFIDENTIAL: "Confidential",
    Tier.RESTRICTED: "Restricted: needs an approval",
    Tier.SEALED: "Sealed: needs two approvals",
}

KINDS: Mapping[str, str] = {
    "init": "Registry made",
    "auth": "Token refused",
    "grant": "Roles changed",
    "enroll": "Enrolled",
    "update": "Changed",
    "mark": "Mark changed",
    "disclose": "Shown",
    "deny": "Refused",
    "request": "Asked for approval",
    "approve": "Approved",
    "refuse": "Approval refused",
    "use": "Approval used",
    "breakglass": "Emergency",
    "review": "Emergency or lookup reviewed",
    "search": "Search",
    "open": "Checked by the system",
    "reading": "Writing of found values fixed",
    "weights": "Weights of a trace fixed",
    "draws": "What was drawn for copies opened",
    "trace": "Leak trace",
    "outcome": "Outcome of an earlier entry",
    "audit-read": "Ledger or own record read",
    "alarm": "Alarm",
    "enumeration": "Values tried out, no finding given",
    "check": "Asked whether a value is protected",
    "release-check": "Checked a document before release",
    "unlock": "Limit raised or lock lifted",
    "policy": "Other policies in force",
    "keys": "Keys exchanged",
    "key": "Another key signs the ledger",
    "digest": "Subjects told of lookups",
    "hold": "Hold on notices",
    "decoy": "Decoys set",
    "dispute": "Entry disputed",
    "correct": "Correction asked for",
    "contact": "Contact set",
    "erase": "Erased",
    "prune": "Old entries no longer kept",
    "anchor": "Checkpoint time-stamped",
    "heartbeat": "Sign of life",
    "epoch": "Went on under a new origin after a loss of entries",
    "recover": "Went on after a loss of entries",
}

REASONS: Mapping[str, str] = {
    NOT_PERMITTED: "Your account may not do this.",
    PURPOSE_NOT_ALLOWED: "This purpose does not open what was asked for.",
    CASE_NEEDED: "This purpose needs a case reference, and none was given.",
    NOTE_NEEDED: "The policy asks for a note, and none was given.",
    STEP_UP_REQUIRED: "This needs a strong and recent sign-in. Sign in again.",
    CONFLICT_OF_INTEREST: "The policy does not let you look up this record yourself. Ask a colleague.",
    QUOTA_EXCEEDED: "You have seen as many people today as you may for this purpose. A security administrator or an "
    "approver can raise the limit.",
    APPROVAL_REQUIRED: "Somebody else has to approve this first.",
    NOT_FOUND: "Nobody who can be looked up was found, or one of the records is not there.",
}

# What the codes of field problems mean to somebody who fills in a form. All others: "is not in the right form".
PROBLEM_WORDS: Mapping[str, str] = {
    "version_form": "is no version: cedar: or sha256: and 64 digits and letters",
    "missing": "is missing",
    "empty": "is empty",
    "too_long": "is too long",
    "too_many": "has too many items",
    "surrounding_space": "begins or ends with a space",
    "unknown_key": "has a part that is not known",
    "unknown_column": "has a column that is not known",
    "missing_column": "has no column for something that is needed",
    "exists": "is enrolled already, with other content",
    "not_one_of": "is not one of the choices",
    "not_a_date": "is not a date",
    "luhn": "is not a card number: its check digit is wrong",
    "employee_number_form": "may hold letters, digits and single hyphens, dots, slashes or underscores between them",
    "not_json": "is not readable JSON",
    "not_utf8": "is not UTF-8 text",
    "case_form": "is not a case reference of the form that is used here",
    "says_nothing": "says nothing: at least three letters or digits",
    "duplicate_key": "has the same key twice",
    "too_large": "is too large",
    "too_much_found": "holds more protected values than one case can hold: trace it in parts",
}


# Headings and sentences of what cannot be done because of how things stand now.
CONFLICTS: Mapping[str, tuple[str, str]] = {
    "approved": ("This is approved already", "It is to be done at the machine."),
    "renewal": ("This renews an earlier hold", "Say in the note why it is still needed."),
    "held_too_long": ("Kept back long enough", "Notices to this person were kept back for as long as they may be."),
    "another_approver": ("Another approver has to confirm this", "Your word has kept these notices back long enough."),
    "decided": ("This is settled already", "Somebody has said the last word on it, or you have said yours."),
    "expired": ("This came too late", "Its time is over. Who still needs it has to ask again."),
    "answered": ("This is answered already", "Each is answered once and for all."),
    "changed": ("The record has changed", "It is not what it was when the correction was asked for."),
    "too_many_open": ("Too many of yours are open", "Wait until some of them are answered."),
    "review_overdue": (
        "An earlier emergency has to be reviewed first",
        "The review of an emergency that you opened is overdue. Ask an approver to review it.",
    ),
    "reviews_waiting": (
        "Earlier emergencies have to be reviewed first",
        "Too many emergencies that you opened wait for their review. Ask an approver to review them.",
    ),
    "not_locked": ("This account is not locked", "There is no lock to lift."),
    "not_braked": ("No brake is on for this account", "There is no brake to lift."),
    "below_strong": (
        "Nobody is named",
        "The report does not call this account strong or more. A lead is about a group, and names nobody.",
    ),
    "nothing_drawn": ("There is nothing to open", "This trace compared the writing of no marked copy."),
}

# What became of requests, holds, petitions and reviews.
STATES: Mapping[str, str] = {
    "pending": "Waiting",
    "approved": "Approved",
    "refused": "Refused",
    "expired": "Time is over",
    "used": "Used",
    "confirmed": "In force",
    "ended": "Ended",
    "open": "Open",
    "accepted": "Accepted",
    "upheld": "Upheld",
    "not_upheld": "Not upheld",
    "justified": "Justified",
    "not_justified": "Not justified",
    "fits": "Fits its purpose",
    "does_not_fit": "Does not fit its purpose",
    "asked": "Whoever looked was asked",
}
# What a request is for; everything else that has no action is a lookup.
ACTIONS: Mapping[str, str] = {
    "trace": "Open a leak trace",
    "evidence": "Take out an evidence bundle",
    "draws": "Open what was drawn for copies",
    "names": "Name the account behind a label of a trace",
    "erase": "Erase somebody for good",
    "unmark": "Lower or end a protection",
    "relations": "Take a relation, supervisor or unit away",
    "principals": "Give roles or change an account",
    "keys": "Exchange or destroy a key",
    "policy": "Let other policies or settings come into force",
    "waive": "Let a protected value stay in a document",
}


def conflict_words(code: str) -> tuple[str, str]:
    """Return heading and sentence of a conflict."""
    heading, sentence = CONFLICTS.get(code, ("This exists already", "It is there with other content."))
    return heading, f"{sentence} Nothing was opened or changed."


def state_words(state: str) -> str:
    """Say a state or finding in words."""
    return STATES.get(state, state)


def action_words(action: str | None) -> str:
    """Say what a request is for."""
    return "Lookup" if action is None else ACTIONS.get(action, action)


def count_words(count: int, one: str, many: str) -> str:
    """Say how many."""
    return f"{count} {one if count == 1 else many}"


def place_words(at: Place) -> str:
    """Say where something stands in a document."""
    return ", ".join(str(value) if name == "part" else f"{name} {value}" for name, value in at) or "somewhere"


def unread_words(code: str) -> str:
    """Say what of a document was not read, or why there is no copy."""
    return code.replace("_", " ")


def reason_words(reason: str) -> str:
    """Say a public reason in a sentence."""
    return REASONS.get(reason, "The policy does not allow this.")


def waiting_words(request: RequestRow) -> str:
    """Say what a lookup waits for."""
    if request.needs == 1:
        return "Somebody else has to approve this first. The request is on record."
    return "Two people have to approve this first, one of them of another unit. The request is on record."


def problem_words(code: str) -> str:
    """Say what is wrong with a field, to follow its name."""
    return PROBLEM_WORDS.get(code, f"is not in the right form ({code})")


def contents_words(names: Iterable[str]) -> str:
    """List categories in words, in the order in which all pages have them."""
    order = [*OTHER_CONTENTS, *CATEGORIES]
    known = sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))
    return ", ".join(CATEGORIES.get(name) or OTHER_CONTENTS.get(name, name) for name in known)


def purpose_words(code: str) -> str:
    """Say a purpose in words."""
    return code.replace("_", " ").capitalize()


def role_words(roles: Iterable[str]) -> str:
    """List roles in words."""
    return ", ".join(sorted(ROLES.get(role, role) for role in roles))


def purpose_opens(purpose: PurposeFacts) -> str:
    """Say which categories a purpose opens and what it needs."""
    opened = "every category" if purpose.opens == frozenset(Category) else _list(purpose.opens)
    needs = " Needs a case reference." if purpose.needs_case else ""
    return f"Opens {opened}.{needs}{' Needs a strong and recent sign-in.' if purpose.needs_step_up else ''}"


def purpose_choices(policy: Policy) -> list[tuple[PurposeCode, str]]:
    """Return the purposes that may be stated, each with what it opens."""
    return [(one.code, purpose_opens(one)) for one in policy.purposes]


def _list(categories: Iterable[Category]) -> str:
    names = [CATEGORIES[one] for one in Category if one in frozenset(categories)]
    words = [names[0].lower(), *(name.lower() for name in names[1:])]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
