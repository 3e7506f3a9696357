"""Reading and writing the little of DER (ITU-T X.690) that time-stamps are made of; whatever is not DER is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from registry.domain.errors import ProofRejected

INTEGER, OCTETS, NULL, OID, UTC_TIME, TIME, SEQUENCE, SET = 0x02, 0x04, 0x05, 0x06, 0x17, 0x18, 0x30, 0x31
BOOLEAN = 0x01
_DAMAGED = "the time-stamp is not in DER"


class Element(NamedTuple):
    """One element: its tag, what is in it, and all of its bytes."""

    tag: int
    body: bytes
    whole: bytes


def elements(raw: bytes) -> list[Element]:
    """Take a run of elements apart.

    Raises:
        ProofRejected: lengths that are indefinite, not the shortest, or beyond the end.
    """
    found, at = [], 0
    while at < len(raw):
        if at + 2 > len(raw) or raw[at] & 0x1F == 0x1F:
            raise ProofRejected(_DAMAGED)
        length, begin = raw[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, begin = int.from_bytes(raw[begin : begin + count], "big"), begin + count
            if not 1 <= count <= 4 or length < 0x80 or length >> 8 * (count - 1) == 0:
                raise ProofRejected(_DAMAGED)
        if begin + length > len(raw):
            raise ProofRejected(_DAMAGED)
        found.append(Element(raw[at], raw[begin : begin + length], raw[at : begin + length]))
        at = begin + length
    return found


def inside(element: Element, tag: int = SEQUENCE) -> list[Element]:
    """Return the elements in one that must have a tag."""
    return elements(body(element, tag))


def body(element: Element, tag: int) -> bytes:
    """Return what is in an element that must have a tag.

    Raises:
        ProofRejected: it has another one.
    """
    if element.tag != tag:
        raise ProofRejected(_DAMAGED)
    return element.body


def one(found: Sequence[Element]) -> Element:
    """Return the only element.

    Raises:
        ProofRejected: there are none or several.
    """
    if len(found) != 1:
        raise ProofRejected(_DAMAGED)
    return found[0]


def whole_number(element: Element) -> int:
    """Return an integer that is not negative and has its one spelling.

    Raises:
        ProofRejected: it is not.
    """
    raw = body(element, INTEGER)
    if not raw or raw[0] & 0x80 or (len(raw) > 1 and raw[0] == 0 and not raw[1] & 0x80):
        raise ProofRejected(_DAMAGED)
    return int.from_bytes(raw, "big")


def encoded(tag: int, *parts: bytes) -> bytes:
    """Return an element of these parts."""
    raw = b"".join(parts)
    size = len(raw).to_bytes((len(raw).bit_length() + 7) // 8 or 1, "big")
    return bytes((tag,)) + (size if len(raw) < 0x80 else bytes((0x80 | len(size),)) + size) + raw


def encoded_number(number: int) -> bytes:
    """Return an integer that is not negative."""
    return encoded(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def encoded_oid(dotted: str) -> bytes:
    """Return an object identifier, such as ``1.2.840.113549.1.7.2``.

    Raises:
        ValueError: it is none.
    """
    first, second, *rest = (int(word) for word in dotted.split("."))
    if first > 2 or (second > 39 and first < 2) or min(first, second, *rest, 0) < 0:
        raise ValueError("not an object identifier")
    raw = b""
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, 0x80 | number & 0x7F)
        raw += bytes(groups)
    return encoded(OID, raw)
