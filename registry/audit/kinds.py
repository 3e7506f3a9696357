"""Entry kinds: the one table of what the ledger may hold. Short words, part of the leaf format, never renamed."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an entry is about."""

    INIT = "init"  # the registry itself was created; names its profile
    AUTH = "auth"  # a token was refused (one, or a counted number in a minute)
    GRANT = "grant"  # a principal was created or its roles changed
    ENROLL = "enroll"
    UPDATE = "update"
    MARK = "mark"
    DISCLOSE = "disclose"  # permitted; written before anything is decrypted
    DENY = "deny"
    REQUEST = "request"  # somebody asks for what needs other people's approval; releases nothing
    APPROVE = "approve"
    REFUSE = "refuse"
    USE = "use"  # what was approved is being done: the request is used up
    BREAKGLASS = "breakglass"  # somebody opens a card in an emergency; releases nothing itself
    REVIEW = "review"  # somebody else says whether it was one, or whether a lookup of the sample fits its purpose
    SEARCH = "search"
    OPEN = "open"  # the system opened values for matching or maintenance; no recipient, never a candidate copy
    READING = "reading"  # how found values are written in a text: fixed before what was drawn for copies is looked at
    WEIGHTS = "weights"  # how the allowed error of a trace is shared out, fixed before draws are compared
    DRAWS = "draws"  # what was drawn for copies was opened; says nothing for these copies in traces from then on
    TRACE = "trace"
    OUTCOME = "outcome"  # what became of earlier entries; carries failures
    AUDIT_READ = "audit-read"
    ALARM = "alarm"  # somebody touched a decoy or tried values out; names what was done about it
    ENUMERATION = "enumeration"  # too many different values were tried for one person: no finding was given
    CHECK = "check"  # somebody asked whether a value is protected
    RELEASE_CHECK = "release-check"  # a document was checked before it is published
    UNLOCK = "unlock"  # a limit was raised, or a locked principal let in again
    KEYS = "keys"  # a key-encryption key was exchanged, stored keys were wrapped anew, or an earlier key was destroyed
    KEY = "key"  # another key signs the ledger from then on; names both
    POLICY = "policy"  # other policies are in force than before
    DISPUTE = "dispute"  # a subject disputes an entry about them, or somebody answered it
    CORRECT = "correct"  # a subject asks for a correction, or somebody answered it
    CONTACT = "contact"  # a subject set where they want to be told
    DECOY = "decoy"  # decoys were set or taken back
    DIGEST = "digest"  # subjects are told how often they were looked up since the last one; how many of them
    HOLD = "hold"  # notices to a subject are to be held back, are held back, or no longer: who says so and until when
    ERASE = "erase"  # somebody was taken out of the registry: which openings are removed for it, and what else
    PRUNE = "prune"  # what old entries say was removed, because it is kept for a time only: which, and below what index
    ANCHOR = "anchor"  # a checkpoint was time-stamped: what follows is later than the authorities say
    HEARTBEAT = "heartbeat"  # nothing was entered for a while; says nothing else
    EPOCH = (
        "epoch"  # the ledger goes on under a new origin after a loss: what is lost, and which keys sign from then on
    )
    RECOVER = "recover"  # as earlier versions went on after a loss, under the same origin


# Kinds that say what a principal's roles and state are from then on.
OF_PRINCIPALS = frozenset({Kind.GRANT, Kind.ALARM, Kind.UNLOCK})
# Kinds that say how a request for approval stands.
OF_REQUESTS = frozenset({Kind.REQUEST, Kind.APPROVE, Kind.REFUSE, Kind.USE})
# Kinds that say that of an emergency; its review is one of those below.
OF_EMERGENCIES = frozenset({Kind.BREAKGLASS})
# Kinds that say which policies are in force.
OF_POLICIES = frozenset({Kind.INIT, Kind.POLICY})
# Kinds that say what somebody found of an emergency, or of a lookup of the sample.
OF_REVIEWS = frozenset({Kind.REVIEW})
# Kinds that say what subjects asked for, how it was answered, and where they want to be told.
OF_PETITIONS = frozenset({Kind.DISPUTE, Kind.CORRECT, Kind.CONTACT})
# Kinds that say what notices are held back, and what is kept for a court.
OF_HOLDS = frozenset({Kind.HOLD})
# Kinds that say what was taken out.
OF_ERASURES = frozenset({Kind.ERASE})
# Kinds that say which keys sign the ledger.
OF_KEYS = frozenset({Kind.KEY, Kind.EPOCH})
# Kinds whose entries say how something stands that is not a person's.
STANDING = (
    OF_PRINCIPALS
    | OF_REQUESTS
    | OF_EMERGENCIES
    | OF_POLICIES
    | OF_REVIEWS
    | OF_PETITIONS
    | OF_HOLDS
    | OF_KEYS
    | OF_ERASURES
)
# What an entry of kind ``update`` says that wrote a unit, which is nobody's record; more words follow.
UNIT_WRITTEN = "unit "
# What an entry of kind ``keys`` says with which the secret of marks was exchanged; more words follow.
MARKS_EXCHANGED = "marks generation "
# What an entry of kind ``trace`` says that added to a case; a word stands before, a number behind.
PART_ADDED = " part "


# Kinds whose entries rows are compared with: they say what is stored of somebody, or how something else stands.
TELLING = frozenset({Kind.ENROLL, Kind.UPDATE, Kind.MARK, Kind.DRAWS, Kind.TRACE, Kind.KEYS}) | STANDING


def says_how_it_stands(kind: str, result: str) -> bool:
    """Tell whether an entry says how something stands that is not a person's.

    Args:
        kind: of the entry.
        result: what it says came of it; empty where its opening was removed.
    """
    if kind not in TELLING:  # nearly all: lookups
        return False
    is_part = kind == Kind.TRACE and PART_ADDED in result
    is_unit = kind == Kind.UPDATE and result.startswith(UNIT_WRITTEN)
    is_of_marks = kind == Kind.KEYS and result.startswith(MARKS_EXCHANGED)
    return kind in STANDING or is_part or is_unit or is_of_marks


# Kinds that say what openings were removed.
OF_REMOVALS = OF_ERASURES | {Kind.PRUNE}
# Kinds whose entries nothing that stands is compared with: what they say is kept for a time only.
FOR_A_TIME = frozenset(
    {
        Kind.AUTH,
        Kind.DISCLOSE,
        Kind.DENY,
        Kind.SEARCH,
        Kind.OPEN,
        Kind.READING,
        Kind.WEIGHTS,
        Kind.TRACE,
        Kind.OUTCOME,
        Kind.AUDIT_READ,
        Kind.ENUMERATION,
        Kind.CHECK,
        Kind.RELEASE_CHECK,
    }
)
# Kinds that speak of the release of a card to a person or machine.
RELEASES = frozenset({Kind.DISCLOSE})
# Kinds whose entries permit opening what they name. Others name records too, but their receipts open none of them.
OPENS = frozenset({Kind.DISCLOSE, Kind.SEARCH, Kind.OPEN, Kind.AUDIT_READ})
