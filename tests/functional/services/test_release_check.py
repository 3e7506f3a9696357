"""The release guard: what it finds, what the copy and the ledger say, and who may not use it as an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from registry.bootstrap.application import LOCAL_ISSUER
from registry.cli.auditing import verify_ledger
from registry.documents.formats import open_document
from registry.documents.model import Document, Place, Span, Unread
from registry.documents.ocr import ImageReader
from registry.domain.errors import AccessDenied, Busy, UploadRefused
from registry.domain.principals import Role
from registry.domain.purposes import ReleasePurpose
from registry.services import uploads
from registry.services.kernel import Caller
from registry.services.redaction import NOT_REMOVED, redact
from registry.services.release_check import ReleaseAsk, ReleaseCheck, ReleaseChecked
from registry.services.trace import TraceAsk
from registry.services.uploads import Upload
from tests.functional.services.homes import Home
from tests.functional.services.test_brakes import limited
from tests.unit.documents.making import docx, holds, in_sheet, line, paragraph, pdf, unpacked, xlsx
from tests.unit.documents.test_images import GREY, Says

ADDRESS = "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"
SSN = "741-12-3456"
PHONE = "816-555-0142"
OTHER = "816-555-0199"
BORN = "1984-02-29"
SAID = f"Dana Brightwater of {ADDRESS} can be called at {PHONE}, SSN {SSN}; the front desk is {OTHER}."


def check(home: Home, caller: Caller, content: bytes, name: str = "a.txt") -> ReleaseChecked:
    ask = ReleaseAsk(Upload(content, name), ReleasePurpose.RECORDS_REQUEST, "RR-1", "asked by the paper")
    return home.app.release_check.check(caller, ask)


def officer(home: Home, name: str = "officer") -> Caller:
    return home.caller(name, Role.RECORDS_OFFICER)


def inline(*cells: str) -> str:
    shown = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="1">{shown}</row>'


DOCUMENTS = {
    "a.txt": SAID.encode(),
    "a.csv": f'name,address,phone,ssn\nDana Brightwater,"{ADDRESS}",{PHONE},{SSN}\nDesk,,{OTHER},\n'.encode(),
    "a.html": f"<p title='{PHONE}'>{SAID}</p><!-- {SSN} -->".encode(),
    "a.json": f'{{"said": "{SAID}"}}'.encode(),
    "a.docx": docx(
        paragraph(SAID[:70], SAID[70:]), docProps_0_core__xml=f"<p xmlns='urn:p'><description>{SSN}</description></p>"
    ),
    "a.xlsx": xlsx(
        [inline("front desk", OTHER), inline("Dana Brightwater", ADDRESS, PHONE, SSN)],
        xl_0_pivotCache_0_pivotCacheRecords1__xml=in_sheet("r", f"<s v='{PHONE}'/>"),
    ),
    "a.pdf": pdf(line(SAID[:75]), line(SAID[75:]), trailer="/Info<</Title(741-12-3456)>>"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_values_are_found_and_gone_from_the_copy_and_others_stay(sqlite_home: Home, name: str) -> None:
    sqlite_home.enroll()
    checked = check(sqlite_home, officer(sqlite_home), DOCUMENTS[name], name)
    assert {place.kind for place in checked.places if place.is_certain} == {"home_address", "phone:mobile", "ssn"}
    assert all(place.at for place in checked.places)
    assert not checked.is_clean
    assert checked.copy is not None
    assert checked.copy.problem == ""
    for value in ("1207 Larkspur", SSN, PHONE):
        assert not holds(checked.copy.content, value)
    assert OTHER in open_document(checked.copy.content, checked.form).text


def test_the_check_is_an_entry_with_purpose_and_digests_and_no_value(home: Home) -> None:
    enrolled = home.enroll()
    checked = check(home, officer(home), SAID.encode())
    entry = home.entries()[checked.receipt.index]
    said = entry.values or {}
    assert entry.kind == "release-check"
    assert (said["purpose"], said["case"], said["note"]) == ("records_request", "RR-1", "asked by the paper")
    assert said["result"].startswith("findings 3")
    assert said["subject"] == enrolled.subject
    assert "copy none" not in said["detail"]
    assert not any(value in text for text in said.values() for value in (SSN, PHONE, "Larkspur", "Brightwater"))
    assert home.entries()[checked.receipt.index - 1].kind == "open"
    verify_ledger(home.app, 1)


def test_a_clean_document_is_clean_and_an_entry_too(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    checked = check(sqlite_home, officer(sqlite_home), b"The council met on Tuesday.")
    assert checked.is_clean
    assert checked.copy is None
    assert (sqlite_home.entries()[checked.receipt.index].values or {})["result"] == "findings 0 possible 0"


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.RECORDS_OFFICER, Role.INVESTIGATOR}])
def test_others_are_refused_and_the_refusal_is_an_entry(sqlite_home: Home, role: Role) -> None:
    with pytest.raises(AccessDenied):
        check(sqlite_home, sqlite_home.caller("other", role), b"x")
    assert sqlite_home.entries()[-1].kind == "deny"


def test_what_is_broken_is_refused_and_what_may_hide_is_not_clean(sqlite_home: Home) -> None:
    with pytest.raises(UploadRefused):
        check(sqlite_home, officer(sqlite_home), b"PK\x03\x04", "a.docx")
    checked = check(sqlite_home, officer(sqlite_home), docx(paragraph("x"), word_0_vbaProject__bin=b"x"), "a.docx")
    assert not checked.places
    assert not checked.is_clean


def test_what_cannot_be_read_is_an_entry_with_its_cause_and_digest(home: Home) -> None:
    content = b"PK\x03\x04" + PHONE.encode()
    with pytest.raises(UploadRefused) as refused:
        check(home, officer(home), content, "a.docx")
    entry = home.entries()[refused.value.entry]
    said = entry.values or {}
    assert (refused.value.code, entry.kind) == ("broken_archive", "release-check")
    assert (said["purpose"], said["case"], said["result"]) == ("records_request", "RR-1", "unreadable broken_archive")
    nonce = bytes.fromhex(said["detail"].removeprefix("document nonce "))
    assert said["request"] == f"document {sha256(nonce + content).hexdigest()}"
    assert not any(PHONE in text for text in said.values())
    verify_ledger(home.app, 1)


def test_what_cannot_be_read_counts_and_a_braked_account_is_not_told_that(sqlite_home: Home) -> None:
    with limited(sqlite_home, checks_per_day=2) as braked:
        one = officer(braked)
        for content in (b"%PDF-1.7", b"PK\x03\x04"):
            with pytest.raises(UploadRefused):
                check(braked, one, content, "a")
        assert check(braked, one, b"%PDF-1.4", "a").is_refused
        results = [(entry.values or {})["result"] for entry in braked.entries() if entry.kind == "release-check"]
        assert results == ["unreadable broken_pdf", "unreadable broken_archive", "denied quota_exceeded"]


def test_a_fault_while_reading_is_an_entry_too(sqlite_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_upload: Upload, _images: ImageReader | None) -> Document:
        raise ZeroDivisionError

    monkeypatch.setattr(Upload, "open", fails)
    with pytest.raises(ZeroDivisionError):
        check(sqlite_home, officer(sqlite_home), b"x")
    assert (sqlite_home.entries()[-1].values or {})["result"] == "unreadable fault"


def test_a_document_that_cannot_be_traced_is_an_entry(sqlite_home: Home) -> None:
    investigator = sqlite_home.caller("investigator", Role.INVESTIGATOR)
    with pytest.raises(UploadRefused) as refused:
        sqlite_home.app.trace.trace(investigator, TraceAsk("", upload=Upload(b"%PDF-1.7")))
    entry = sqlite_home.entries()[-1]
    assert (entry.index, entry.kind) == (refused.value.entry, "trace")
    assert (entry.values or {})["result"] == "unreadable broken_pdf"
    with pytest.raises(AccessDenied):
        sqlite_home.app.trace.trace(officer(sqlite_home), TraceAsk("", upload=Upload(b"%PDF-1.7")))
    assert sqlite_home.entries()[-1].kind == "deny"


def with_images(home: Home, reader: ImageReader | None) -> ReleaseCheck:
    """The same guard with another reader of images."""
    matching = replace(home.app.release_check._matching, images=reader)
    return ReleaseCheck(home.app.kernel, matching, home.app.settings.limits(home.app.profile))


def test_an_image_is_read_where_something_reads_it_and_never_called_clean_where_not(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    content = docx(paragraph("The council met."), word_0_media_0_image1__png=GREY)
    ask = ReleaseAsk(Upload(content, "a.docx"), ReleasePurpose.RECORDS_REQUEST)
    blind = with_images(sqlite_home, None).check(officer(sqlite_home), ask)
    assert not blind.places
    assert not blind.is_clean
    reads = Says(f"Call {PHONE}")
    seen = with_images(sqlite_home, reads).check(officer(sqlite_home), ask)
    assert [place.kind for place in seen.places] == ["phone:mobile"]
    assert seen.copy is not None
    assert b"\x80" * 64 not in unpacked(seen.copy.content)
    assert len(reads.given) == 1
    nothing = with_images(sqlite_home, Says("nothing")).check(officer(sqlite_home), ask)
    assert nothing.is_clean
    assert [one.what for one in nothing.unread] == ["image_read_by_ocr"]


def test_an_image_by_itself_is_checked_and_has_no_copy(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    ask = ReleaseAsk(Upload(GREY), ReleasePurpose.RECORDS_REQUEST)
    checked = with_images(sqlite_home, Says(f"Call {PHONE}")).check(officer(sqlite_home), ask)
    assert [place.at for place in checked.places] == [(("part", "picture"), ("line", 1))]
    assert checked.copy is not None
    assert (checked.copy.content, checked.copy.problem) == (b"", "image")
    with pytest.raises(UploadRefused) as refused:
        with_images(sqlite_home, None).check(officer(sqlite_home), ask)
    assert refused.value.code == "ocr_unavailable"
    assert (sqlite_home.entries()[-1].values or {})["result"] == "unreadable ocr_unavailable"


def test_a_prober_is_told_nothing_hit_or_miss(home: Home) -> None:
    home.enroll()
    prober = officer(home, "prober")
    answers = [
        check(home, prober, f"Dana Brightwater, 816-555-01{number:02}".encode()) for number in (1, 2, 3, 4, 42, 5)
    ]
    assert [answer.is_refused for answer in answers] == [False, False, True, True, True, True]
    assert all(not answer.places and answer.copy is None for answer in answers)
    results = [(entry.values or {})["result"] for entry in home.entries() if entry.kind == "release-check"]
    assert results == ["findings 0 possible 0"] * 2 + ["denied quota_exceeded"] * 4
    # Of what a braked account sends, nothing is matched or opened any more.
    assert [entry.kind for entry in home.entries()].count("open") == 3
    # Not even about somebody else, and the next value of a trace counts on.
    assert check(home, prober, b"The council met.").is_refused
    assert not check(home, officer(home, "another"), f"Dana Brightwater, {PHONE}".encode()).is_refused


def test_who_is_braked_by_this_very_document_is_not_told_of_it(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    tried = ", ".join(f"816-555-01{number}" for number in range(40, 60))
    checked = check(sqlite_home, officer(sqlite_home), f"Dana Brightwater, {tried}".encode())
    assert checked.is_refused
    assert not checked.places


def test_documents_are_counted_for_the_day_and_the_same_one_once(sqlite_home: Home) -> None:
    with limited(sqlite_home, checks_per_day=2) as braked:
        one = officer(braked)
        answers = [check(braked, one, content).is_refused for content in (b"a", b"b", b"a", b"c")]
        assert answers == [False, False, False, True]
        braked.clock.step(86_400)
        assert not check(braked, one, b"c").is_refused


def test_at_the_keyboard_nobody_is_braked(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    local = sqlite_home.app.local_caller()
    assert local.claims.issuer == LOCAL_ISSUER
    for number in range(6):
        assert not check(sqlite_home, local, f"Dana Brightwater, 816-555-010{number}".encode()).is_refused
    assert check(sqlite_home, local, f"Dana Brightwater, {PHONE}".encode()).places


def test_two_documents_at_a_time(sqlite_home: Home) -> None:
    with uploads.turn(), uploads.turn(), pytest.raises(Busy):
        check(sqlite_home, officer(sqlite_home), b"x")
    assert check(sqlite_home, officer(sqlite_home), b"x").is_clean


def test_what_a_value_says_goes_where_nobody_is_named_too(sqlite_home: Home) -> None:
    sqlite_home.enroll()
    cache = in_sheet("pivotCacheRecords", f"<r><d v='{BORN}T00:00:00'/></r>")
    book = xlsx([inline("Dana Brightwater", BORN)], xl_0_pivotCache_0_pivotCacheRecords1__xml=cache)
    checked = check(sqlite_home, officer(sqlite_home), book, "a.xlsx")
    assert checked.copy is not None
    assert checked.copy.problem == ""
    assert not holds(checked.copy.content, BORN)


def test_a_number_said_again_goes_and_one_that_only_holds_it_stays() -> None:
    text = f"SSN {SSN} again {SSN}, not 9{SSN}0"
    document = open_document(text.encode(), "txt")
    copy = redact(document, "txt", [(4, 4 + len(SSN))])
    assert copy.content.decode() == f"SSN [redacted] again [redacted], not 9{SSN}0"


class _Kept:
    """A document whose copy still says everything."""

    text = f"SSN {SSN}"
    unread: tuple[Unread, ...] = ()

    def __init__(self, content: bytes) -> None:
        self._content = content

    def places(self, spans: Sequence[Span]) -> list[Place]:
        return [() for _ in spans]

    def redacted(self, spans: Sequence[Span]) -> bytes:
        return self._content


def test_a_copy_that_still_says_a_value_is_not_given() -> None:
    def problem(copy: bytes) -> str:
        redacted = redact(_Kept(copy), "txt", [(4, 15)])
        assert bool(redacted.content) is not bool(redacted.problem)
        return redacted.problem

    assert problem(f"SSN {SSN}".encode()) == NOT_REMOVED
    assert problem(b"SSN [redacted]") == ""
