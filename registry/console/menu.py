"""The menu: every page that somebody goes to by name, and for whom it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.domain.principals import Role
from registry.services import approvals, break_glass
from registry.services.approvals import ASKERS
from registry.services.break_glass import BREAKERS
from registry.services.check_value import CHECKERS
from registry.services.holds import ENDERS
from registry.services.leaver_report import REPORT_READERS
from registry.services.petitions import CORRECTION, DISPUTE
from registry.services.principals import ADMINS
from registry.services.read_audit import AUDITORS, SUBJECTS
from registry.services.unlock import UNLOCKERS


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the menu: where it is, what it is called, and who sees it there."""

    path: str
    name: str
    does: str
    roles: frozenset[Role]


MENU: Sequence[Page] = (
    Page(
        "/console/look-up",
        "Look up",
        "See protected values of one person, for a stated purpose. "
        "Each lookup is in the ledger before you see anything.",
        frozenset({Role.READER}),
    ),
    Page(
        "/console/search",
        "Search",
        "Find a person by employee number or name. You see name, department and title, and the search is recorded.",
        frozenset({Role.READER, Role.ENROLLER, Role.INVESTIGATOR}),
    ),
    Page(
        "/console/me",
        "My records",
        "See which of your records are protected and how, and your own values.",
        frozenset({Role.SUBJECT}),
    ),
    Page(
        "/console/me/accounting",
        "Who looked",
        "See who looked at your records, when, for what purpose, and who was refused.",
        frozenset({Role.SUBJECT}),
    ),
    Page(
        "/console/enroll",
        "Enroll",
        "Enter people and their records, one at a time or from a file. You cannot read values back.",
        frozenset({Role.ENROLLER}),
    ),
    Page(
        "/console/traces",
        "Traces",
        "Paste a text that surfaced. See which protected values are in it, and which copies were served before.",
        frozenset({Role.INVESTIGATOR}),
    ),
    Page(
        "/console/check",
        "Is it protected?",
        "Ask whether a value is somebody's confidential record: yes or no, and nothing about whom.",
        CHECKERS,
    ),
    Page(
        "/console/release",
        "Check a document",
        "See where protected values stand in a document before it is published, and get a copy without them.",
        CHECKERS,
    ),
    Page(
        "/console/ledger",
        "Ledger",
        "Read the entries of the ledger, newest first, and its signed checkpoint. Reading is itself an entry.",
        frozenset({Role.AUDITOR}),
    ),
    Page(
        "/console/principals",
        "Principals",
        "See who may act in which roles, and change it. Each change is in the ledger.",
        frozenset({Role.SECURITY_ADMIN}),
    ),
    Page(
        "/console/changes",
        "Policies and keys",
        "Propose other policies or settings, or a change of keys, for another person to approve.",
        ADMINS,
    ),
    Page(
        "/console/requests",
        "Approvals",
        "See requests for approval and what became of them; approvers decide those of others.",
        ASKERS | approvals.WATCHERS,
    ),
    Page(
        "/console/emergencies/new",
        "In an emergency",
        "Open a card at once that would wait for approval. Others are told at once, and it is reviewed.",
        BREAKERS,
    ),
    Page(
        "/console/emergencies",
        "Emergencies",
        "Review cards that were opened in an emergency, the most urgent first.",
        break_glass.WATCHERS,
    ),
    Page(
        "/console/holds",
        "Holds",
        "Keep notices to a person back for a time: asked for by an investigator, confirmed by an approver.",
        ENDERS,
    ),
    Page(
        "/console/me/petitions",
        "Disputes and corrections",
        "See what you disputed or asked to have corrected, and the answers.",
        SUBJECTS,
    ),
    Page(
        "/console/me/contact",
        "Where to reach you",
        "Set where you are told what happens to your records, out of reach of whoever reads your post at home.",
        SUBJECTS,
    ),
    Page(
        "/console/corrections",
        "Corrections",
        "Answer what people say is wrong about their records.",
        CORRECTION.answerers,
    ),
    Page(
        "/console/disputes",
        "Disputes",
        "Answer what people say should not have happened to their records.",
        DISPUTE.answerers,
    ),
    Page(
        "/console/sample",
        "Sample",
        "Review a few lookups of each week, drawn by lot.",
        AUDITORS,
    ),
    Page(
        "/console/policy",
        "Policies",
        "See which policies are in force, since when, and what each purpose opens.",
        AUDITORS,
    ),
    Page(
        "/console/report",
        "Report",
        "See what one account did and saw since a day, for whoever has to take leave of somebody.",
        REPORT_READERS,
    ),
    Page(
        "/console/brakes",
        "Limits and locks",
        "Let an account go on that was stopped: raise a limit, lift a lock or a brake.",
        UNLOCKERS,
    ),
)
