"""Small pictures at twice their size, for whoever reads their letters."""

from __future__ import annotations

import random
import tracemalloc
import zlib

import pytest
import typst

from registry.documents import enlarged as module
from registry.documents.enlarged import enlarged
from registry.documents.images import ImageSize, blank, image_size, png_chunks, png_of
from tests.unit.documents.making import PHONE, SSN
from tests.unit.documents.test_images import GREY, TESSERACT, needs_tesseract


@needs_tesseract
def test_small_letters_of_a_screen_are_read() -> None:
    assert TESSERACT is not None
    page = (
        f'#set page(width:auto,height:auto,margin:8pt)\n#set text(size:6.5pt,font:"DejaVu Sans Mono")\n'
        f"SSN {SSN}, 1388 Example Rd\n\nx {PHONE}"
    )
    text = TESSERACT.read(bytes(typst.compile(page.encode(), format="png", ppi=96.0)))
    assert SSN in text
    assert PHONE in text


@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6])
def test_a_small_picture_is_made_larger_point_by_point(kind: int) -> None:
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    chosen = random.Random(kind)
    plain = [bytes(chosen.randbytes(7 * samples)) for _ in range(10)]
    packed = b"".join(bytes([n % 5]) + _filtered(n % 5, plain, n, samples) for n in range(10))
    palette = bytes(768) if kind == 3 else b""
    content = png_of((7, 10, 8, kind), packed, palette)
    larger = enlarged(content)
    assert image_size(larger) == ImageSize(14, 20, 280)
    rows = zlib.decompress(b"".join(part for name, part in png_chunks(larger) if name == b"IDAT"))
    for number in range(20):
        row = rows[number * (14 * samples + 1) :][1 : 14 * samples + 1]
        points = [row[at : at + samples] for at in range(0, len(row), samples)]
        own = plain[number // 2]
        assert points == [own[at : at + samples] for at in range(0, len(own), samples) for _ in range(2)]


def _filtered(kind: int, rows: list[bytes], number: int, samples: int) -> bytes:
    """Return a row as a filter leaves it (ISO/IEC 15948, 9.2)."""
    row, above = rows[number], rows[number - 1] if number else bytes(len(rows[0]))
    done = bytearray()
    for at, value in enumerate(row):
        a = row[at - samples] if at >= samples else 0
        b = above[at]
        c = above[at - samples] if at >= samples else 0
        near = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        done.append((value - (0, a, b, (a + b) // 2, near)[kind]) & 255)
    return bytes(done)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        GREY[:40],
        png_of((3000, 3000, 8, 0), b""),
        png_of((64, 32, 16, 0), bytes(129 * 32)),
        png_of((64, 32, 8, 0), b"\x09" + bytes(64 * 32)),
        png_of((64, 32, 8, 0), bytes(10)),
        blank(b"GIF8"),
    ],
)
def test_what_is_no_small_picture_stays_as_it_is(content: bytes) -> None:
    assert enlarged(content) == content


def test_a_picture_that_unpacks_to_more_than_it_says_takes_no_room() -> None:
    bomb = png_of((64, 32, 8, 0), bytes(50 << 20))
    tracemalloc.start()
    try:
        larger = enlarged(bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert image_size(larger) == ImageSize(128, 64, 8192)
    assert most < 2 << 20


def test_a_picture_as_large_as_a_screens_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert enlarged(GREY) != GREY
    monkeypatch.setattr(module, "MOST_PIXELS", 64 * 32 - 1)
    assert enlarged(GREY) == GREY
