"""The stand-alone verifier's report, word for word: what a reader without this package is told."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest

from registry.transparency.bundle import write_bundle
from registry.transparency.offline import verify_bundle
from registry.transparency.offline.verify_bundle import Entry, Verdict, main, report, verify
from tests.unit.transparency.support import LEDGER, ORIGIN, START_MS, STRANGER, Ledger, example_bundle

YEAR_10000_MS = 253_402_300_800_000
KEY = f"{ORIGIN}+{LEDGER.key.key_id.hex()}"


def entry(unix_ms: int, *, standing: str = "") -> Entry:
    return Entry(7, unix_ms, "disclose", {"purpose": "payroll", "note": ""}, ["case"], standing)


def test_a_report_says_it_all() -> None:
    bare = Entry(8, START_MS, "deny", {}, [])
    verdict = Verdict(ORIGIN, KEY, 10, "AAAA", checked=["one", "two"], not_checked=["three"], gaps=["four"])
    verdict.entries = [entry(START_MS + 7, standing="upright"), bare]
    assert (
        report(verdict)
        == f"""VERIFIED
ledger: {ORIGIN}
key:    {KEY}
size:   10
root:   AAAA

Missing in this bundle:
  - four

Verified:
  - one
  - two

Not verified:
  - three

Entry 7  disclose  2023-11-14T22:13:20.007Z
  standing: upright
  purpose: payroll
  opened and empty: note
  withheld: case

Entry 8  deny  2023-11-14T22:13:20.000Z
"""
    )


def test_a_report_of_what_is_refused_at_once_says_no_more_than_why() -> None:
    assert (
        report(verify(example_bundle(), STRANGER.vkey))
        == f"""REFUSED: do not rely on this bundle
ledger: {ORIGIN}
key:    {ORIGIN}+{STRANGER.key.key_id.hex()}

Problems:
  - the checkpoint is not signed (once) by the key that was given

Verified:
  - the manifest lists exactly the 16 other files, unchanged
"""
    )


def test_what_is_not_opened_is_withheld() -> None:
    ledger = Ledger()
    ledger.add({})
    (only,) = verify(write_bundle(ledger.bundle(ledger.entry(0, "purpose"))), LEDGER.vkey).entries
    assert only.withheld == [name for name in verify_bundle.FIXED_FIELDS if name != "purpose"]


def test_a_time_beyond_the_calendar_is_a_number_on_machines_that_end_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every C library goes on after the year 9999."""
    real = time.gmtime

    def ends(seconds: float) -> time.struct_time:
        assert seconds * 1_000 < YEAR_10000_MS
        return real(seconds)

    monkeypatch.setattr(verify_bundle.time, "gmtime", ends)
    for unix_ms, told in ((YEAR_10000_MS - 1, "9999-12-31T23:59:59.999Z"), (YEAR_10000_MS, str(YEAR_10000_MS))):
        assert f"\nEntry 7  disclose  {told}\n" in report(Verdict(entries=[entry(unix_ms)]))


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "café"), ("ascii", "caf\\xe9"), (None, "caf\\xe9")])
def test_a_terminal_shows_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str | None, shown: str
) -> None:
    (tmp_path / "bundle.zip").write_bytes(example_bundle())
    raw = io.BytesIO()
    terminal = io.StringIO() if encoding is None else io.TextIOWrapper(raw, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([str(tmp_path / "bundle.zip"), "--key", LEDGER.vkey]) == 0
    terminal.flush()
    text = terminal.getvalue() if isinstance(terminal, io.StringIO) else raw.getvalue().decode(encoding or "")
    assert f"note: {shown} " in text
