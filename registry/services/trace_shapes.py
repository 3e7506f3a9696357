"""What tracing takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from registry.documents.ocr import ImageReader
from registry.domain.case_states import CaseState
from registry.domain.ids import TraceId
from registry.leaktrace.report_model import FoundValue
from registry.leaktrace.report_shapes import TraceReport
from registry.services.case_parts import CasePart
from registry.services.enumeration import Enumeration
from registry.services.evidence import Snapshot
from registry.services.evidence_items import ItemAsk
from registry.services.flag_budget import FlagSpending
from registry.services.kernel import ReceiptView
from registry.services.match import MatchText
from registry.services.proving import JudgedBy
from registry.services.uploads import Upload

MAX_UNCERTAINTY_SECONDS = 366 * 86_400


@dataclass(frozen=True, slots=True)
class TraceAsk:
    """One trace: the pasted text, when it was first seen in public (aware) and where, as told.

    Attributes:
        text: as pasted; "" with an ``upload``, whose text it then is.
        published_at, source: when and where, as told.
        upload: a document in its place.
        uncertainty_seconds: the text may have been seen first so much earlier or later than ``published_at``.
        items: several texts in place of all that.
    """

    text: str = field(repr=False)
    published_at: datetime | None = None
    source: str = field(default="", repr=False)
    upload: Upload | None = None
    uncertainty_seconds: int = 0
    items: tuple[ItemAsk, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTrace:
    """A trace as kept, sealed.

    Attributes:
        report: everything that renderers show.
        possible: weaker findings, never part of the report's conclusions.
        snapshot: the checkpoint it was made under.
        entries: indexes of the entries it rests on.
        nonce: hexadecimal; with the text it gives the digest in the report.
        judged: what an expert needs to compute the report's figures anew; None where nothing was judged.
    """

    report: TraceReport
    possible: tuple[FoundValue, ...]
    snapshot: Snapshot
    entries: tuple[int, ...]
    nonce: str
    judged: JudgedBy | None = None


@dataclass(frozen=True, slots=True)
class Traced:
    """What a trace answers."""

    trace: TraceId
    stored: StoredTrace
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class Revealed:
    """The pasted text, and what was added to the case, oldest first."""

    text: str = field(repr=False)
    parts: tuple[CasePart, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One trace of a list: when it ran, in milliseconds, and how its case stands."""

    id: TraceId
    created_at: int
    state: CaseState


@dataclass(frozen=True, slots=True)
class Matchers:
    """What finds values in a text, holds findings back from who tries values out, counts traces and reads images."""

    matcher: MatchText
    brake: Enumeration
    spending: FlagSpending
    images: ImageReader | None = None
