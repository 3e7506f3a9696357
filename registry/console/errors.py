"""One table from every error of this program to the page that says it. No page holds a value or an error's text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from registry.console.words import conflict_words, reason_words
from registry.domain import errors
from registry.policy.decide import STEP_UP_REQUIRED


class SignInNeeded(Exception):
    """There is no session, or none any more."""


class Refusal(Exception):
    """A request that is refused for its form, before any service is asked.

    Attributes:
        status: HTTP status.
        code: short stable code, see ``_REFUSALS``.
    """

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Problem:
    """What a page about an error says: status, heading and sentences, and whether a strong sign-in would help."""

    status: int
    heading: str
    sentences: tuple[str, ...]
    needs_step_up: bool = False


_NOTHING = "Nothing was opened or changed."
_OPERATOR = "Tell the people who run this registry."

_REFUSALS: Mapping[str, tuple[str, str]] = {
    "other_site": (
        "This request was refused",
        "It did not come from a page of this console. Open the console in your browser and start again from there.",
    ),
    "form_token": (
        "This form is too old",
        "It belongs to an earlier sign-in. Open the page again and fill it in once more.",
    ),
    "form_type": ("This form could not be read", "It was sent in a way that this console does not know."),
    "not_a_form": ("This form could not be read", "Open the page again and fill it in once more."),
    "too_large": ("This is too large", "See the limit beside the field, and use a smaller file or text."),
    "too_slow": ("This took too long to arrive", "Check the connection and send it again."),
    "other_host": (
        "This request was refused",
        "In the development profile the console answers to localhost and 127.0.0.1 only.",
    ),
    "link_unknown": (
        "This link cannot be used",
        "A sign-in link works once, for ten minutes. Ask for a new one, or sign in with a token.",
    ),
}


def _unavailable(error: errors.AuditUnavailable) -> Problem:
    what = f"The ledger takes no entries at the moment ({error.cause}), and without an entry nothing is opened."
    return Problem(503, "The ledger is not available", (what, _NOTHING, "Try again in a minute."))


def _conflict(error: errors.Conflict) -> Problem:
    heading, sentence = conflict_words(error.code)
    return Problem(409, heading, (sentence,))


_BROKEN = Problem(500, "A record could not be opened", ("It does not open as it should.", _OPERATOR))
_CORRUPT = Problem(500, "The ledger does not verify", (_OPERATOR, "They can run: registry audit verify"))

_TABLE: Mapping[type[errors.RegistryError], Callable[[Any], Problem]] = {
    errors.AccessDenied: lambda error: Problem(
        403, "Refused", (reason_words(error.reason),), error.reason == STEP_UP_REQUIRED
    ),
    errors.ApprovalNeeded: lambda error: Problem(
        202,
        "Waiting for approval",
        (
            f"Another person has to approve this first. The request is {error.request}.",
            "See what becomes of it on the page Approvals. Once it is approved, send exactly the same again.",
        ),
    ),
    errors.AuditUnavailable: _unavailable,
    errors.NotDurable: _unavailable,
    errors.Contended: lambda _: Problem(503, "Busy", ("Somebody else was changing the same thing. Try again.",)),
    errors.Busy: lambda _: Problem(503, "Busy", ("Too many requests are at work. Try again in a moment.",)),
    errors.Conflict: _conflict,
    errors.EnvelopeRejected: lambda _: _BROKEN,
    errors.ReceiptRefused: lambda _: _BROKEN,
    errors.StatementRefused: lambda _: Problem(500, "Something went wrong", (_NOTHING, _OPERATOR)),
    errors.InvalidInput: lambda _: Problem(422, "Something in this form is not right", (_NOTHING,)),
    errors.KeyUnavailable: lambda _: Problem(503, "A key is not available", (_NOTHING, _OPERATOR)),
    errors.LedgerCorrupt: lambda _: _CORRUPT,
    errors.ProofRejected: lambda _: _CORRUPT,
    errors.MisconfiguredHome: lambda _: Problem(503, "This registry is not set up rightly", (_NOTHING, _OPERATOR)),
    errors.NotFound: lambda _: Problem(404, "Not found", ("There is nothing here, or it is not yours.",)),
    errors.TokenRefused: lambda _: Problem(401, "You are not signed in", ("Sign in again.",)),
    errors.TokenTakenBack: lambda _: Problem(
        401, "You are not signed in", ("Your token was taken back.", "Sign in again.")
    ),
    errors.UnreadableDocument: lambda _: Problem(400, "This could not be read", (_NOTHING,)),
    errors.UploadRefused: lambda error: Problem(
        400, "This could not be read", (_NOTHING, f"That it was sent is entry {error.entry} of the ledger.")
    ),
}

INTERNAL = Problem(500, "Something went wrong", ("This is a fault of the program. " + _OPERATOR,))
PAGE_UNKNOWN = Problem(404, "Page not found", ("There is no such page in this console.",))
METHOD_UNKNOWN = Problem(405, "This page cannot be used that way", ("Open the console again from its first page.",))


def problem_of(error: errors.RegistryError) -> Problem:
    """Return the page of an error; the nearest named ancestor's when the error itself is not in the table."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind](error)
    return INTERNAL


def problem_of_refusal(refusal: Refusal) -> Problem:
    """Return the page of a refusal."""
    heading, sentence = _REFUSALS[refusal.code]
    return Problem(refusal.status, heading, (sentence, _NOTHING))
