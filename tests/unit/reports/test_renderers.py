"""What holds for every form of the report: honest, in order, no markup from outside, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from registry.leaktrace.report_model import TraceReport
from registry.reports.as_html import render_html
from registry.reports.as_json import report_document
from registry.reports.as_pdf import render_pdf
from registry.reports.as_text import render_text
from tests.unit.reports.samples import ACCOUNT_IDS, EVERY, GAP, HOSTILE, coded, dump, empty, hostile, ordinary, unserved


def as_json_text(report: TraceReport) -> str:
    return json.dumps(report_document(report), ensure_ascii=False)


def pdf_text(report: TraceReport) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed: the PDF's text was not read back")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=render_pdf(report), capture_output=True, check=True)
    return done.stdout.decode()


def visible_html(report: TraceReport) -> str:
    page = re.sub(r"<style>.*?</style>", "", render_html(report), flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", page)


FORMS: tuple[Callable[[TraceReport], str], ...] = (as_json_text, render_text, visible_html, pdf_text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("report", EVERY)
def test_no_form_speaks_of_guilt_percent_or_names_an_account(form, report: TraceReport) -> None:
    text = form(report)
    assert not re.search(r"guilt|culprit|suspects?\b|perpetrator|posterior|\d ?%|percent", text, re.IGNORECASE)
    assert not any(account in text for account in ACCOUNT_IDS)
    assert "A copy is not a person" in text


@pytest.mark.parametrize("form", FORMS)
def test_a_gap_stands_before_everything_else(form) -> None:
    text = " ".join(form(ordinary(GAP)).split())
    assert text.index("The ledger is incomplete") < text.index(GAP) < text.index("A copy is not a person")
    assert text.index("A copy is not a person") < text.index("Worth a conversation")
    assert "The ledger is incomplete" not in form(ordinary())


@pytest.mark.parametrize("form", FORMS)
def test_edge_cases_say_what_is_the_case(form) -> None:
    assert "No protected value of this registry was found" in " ".join(form(empty()).split())
    assert "disclosures do not explain it" in " ".join(form(unserved()).split())
    assert "No publication time was stated" in " ".join(form(ordinary(published_at=None)).split())
    assert "55 accounts cannot be distinguished" in " ".join(form(dump()).split())
    assert "Not from here" in form(unserved())


@pytest.mark.parametrize("form", FORMS)
def test_a_receipt_code_is_told_with_its_copy_and_the_chance_of_an_accident(form) -> None:
    text = " ".join(form(coded()).split())
    assert "K7QF-2M9D" in text
    assert "by accident is at most 4.0e-12" in text
    assert "A code alone can be put under any text" in text
    assert "K7QF-2M9D" not in form(ordinary())


def test_text_from_outside_stays_text_in_the_page() -> None:
    page = render_html(hostile())
    assert page.count("<title>") == 1  # the drawing's title has an id
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; #panic() {{7*7}}" in page
    assert "\u202e" not in page


def test_text_from_outside_stays_text_in_the_pdf() -> None:
    text = " ".join(pdf_text(hostile()).split())
    assert "<script>alert(1)</script> #panic() {{7*7}}" in text
    assert "[U+4E2D][U+6587] [U+1F600]" in text


def test_text_from_outside_cannot_hide_in_the_terminal() -> None:
    text = render_text(ordinary(source="\x1b[31mred\x1b[0m \u202eback \u200b\ud800"))
    assert re.search(r"[^\n -~\u00a0-\u200a\u2010-\u2027]", text) is None
    assert "[U+001B][31mred[U+001B][0m [U+202E]back" in text


def test_json_keeps_the_text_as_told() -> None:
    assert report_document(hostile())["question"]["source"] == HOSTILE


@pytest.mark.parametrize("report", EVERY)
def test_text_lines_fit_the_terminal(report: TraceReport) -> None:
    lines = render_text(report).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_accounts_keep_the_order_of_first_serving() -> None:
    labels = [account["label"] for account in report_document(ordinary())["accounts"]]
    assert labels == ["Account 1", "Account 2", "Account 3"]
    held = [len(account["held"]) for account in report_document(ordinary())["accounts"]]
    assert held == [2, 3, 1]


_PRINT_DIGESTS = """
import hashlib, json
from registry.reports.as_html import render_html
from registry.reports.as_json import report_document
from registry.reports.as_pdf import render_pdf
from registry.reports.as_text import render_text
from tests.unit.reports.samples import ordinary
report = ordinary()
for form in (render_pdf(report), render_html(report).encode(), render_text(report).encode(),
             json.dumps(report_document(report)).encode()):
    print(hashlib.sha256(form).hexdigest())
"""


def test_another_process_in_another_zone_makes_the_same_bytes() -> None:
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT_DIGESTS], env=environment, capture_output=True, check=True, text=True
    )
    report = ordinary()
    here = [render_pdf(report), render_html(report).encode(), render_text(report).encode()]
    here.append(json.dumps(report_document(report)).encode())
    assert done.stdout.split() == [hashlib.sha256(form).hexdigest() for form in here]


@pytest.mark.parametrize("form", [render_text, visible_html, pdf_text])
def test_a_doubt_about_the_publication_is_told_and_drawn(form) -> None:
    sure, unsure = ordinary(), ordinary(uncertainty_seconds=5400)
    assert "give or take 1 hour 30 minutes" in " ".join(form(unsure).split())
    assert "give or take" not in form(sure)
    assert "tl-doubt" in render_html(unsure).partition("<svg")[2]
    assert "tl-doubt" not in render_html(sure).partition("<svg")[2]
