#!/usr/bin/env python3
"""Verify an evidence bundle of a protected-records registry, offline.

    python3 verify_bundle.py bundle.zip --policy FILE             (a C2SP tlog-policy: ledger, witnesses, quorum)
    python3 verify_bundle.py bundle.zip --key '<verifier key>'    (the ledger's signature alone)

--until KEY_ID=SIZE refuses whatever a former or compromised key signed beyond that size.

Needs Python 3.8 or later and nothing else. Keys must come from somewhere you trust, never from the bundle.
Exit code 0: everything verified; 1: refused; 2: not run (usage, file, key). One file on purpose: it can be read in
full, kept apart, and run by someone who trusts nobody's package. Formats: docs/ledger-format.md of the project.
"""

from __future__ import annotations

import argparse
import base64
import calendar
import hashlib
import hmac
import json
import random
import re
import struct
import sys
import time
import zlib
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

MAX_BUNDLE_BYTES, MAX_OPENING_BYTES, MAX_NOTE_BYTES = 2**27, 2**24, 2**18
MAX_MEMBERS, MAX_SIGNATURES, MAX_RECORDS, MAX_POLICY = 60_000, 64, 1_500, 65_536
FIXED_MEMBERS = ("README.txt", "checkpoint", "manifest.sha256", "policy", "verify_bundle.py")
# Which sections a bundle has, and of which version. One that is not listed here is refused rather than guessed at.
SECTIONS = "sections"
_SECTIONS_HEAD = "evidence bundle, version 2\n"
_KNOWN_SECTIONS = ("compromises/v1", "entries/v1", "history/v1", "keys/v1", "marks/v1", "origins/v1", "stamps/v1")
MARKS = tuple(f"marks/{name}.json" for name in ("claims", "model", "openings", "reading", "weights"))
FIXED_FIELDS = (
    *("event", "principal", "organization", "token", "network", "subject", "counter", "previous"),
    *("purpose", "case", "note", "request", "result", "rules", "form", "detail"),
)
_CHAIN_FIELDS = ("subject", "counter", "previous")
_YEAR_10000 = 253_402_300_800_000  # in milliseconds

_ENTRY = re.compile(r"entries/(0|[1-9][0-9]{0,18})\.(leaf|open\.json|tlog-proof)")
_HISTORY = re.compile(r"history/([1-9][0-9]{0,18})\.(checkpoint|proof)")
_CHANGE = re.compile(r"keys/([1-9][0-9]{0,18})\.(checkpoint|leaf|open\.json|proof|tlog-proof)")
_ORIGIN = re.compile(r"origins/([1-9][0-9]{0,18})\.(checkpoint|leaf|open\.json|proof|tlog-proof)")
_THEFT = re.compile(
    r"compromises/([1-9][0-9]{0,18})\.((?:trusted\.)?checkpoint|leaf|open\.json|(?:trusted\.)?proof|tlog-proof)"
)
_EPOCH = re.compile(r"(.+)/e([1-9][0-9]{0,8})(?:-[0-9a-f]{8})?")
_LOSS = re.compile(r"[a-z_]+; found ([1-9][0-9]{0,18}) ([0-9a-f]{64}); kept (nothing readable|[0-9]+ [0-9a-f]{64})")
_STOLEN = re.compile(
    r"compromised; found ([1-9][0-9]{0,18}) ([0-9a-f]{64}); since ([0-9-]{10}T[0-9:]{8})\.[0-9]{3}Z; "
    r"trusted (nothing|[1-9][0-9]{0,18} [0-9a-f]{64})"
)
_STAMP = re.compile(r"stamps/([1-9][0-9]{0,18})\.(checkpoint|proof|[a-z0-9-]{1,32}\.tsr)")
_STATED_TIME = re.compile(rb"\x18.([0-9]{14})(?:\.[0-9]+)?Z", re.DOTALL)
_EXTRA = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}\.(json|pdf|txt|csv|md)")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\.", re.IGNORECASE)  # names that Windows does not keep
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KIND = re.compile(r"[a-z][a-z-]{0,31}")
_SALT_AND_HEX = re.compile(r"[0-9a-f]{64} (?:[0-9a-f]{2})*")


class Rejected(ValueError):
    """A check failed; the text says which, and holds nothing from the bundle that is not escaped."""


class BadKey(ValueError):
    """The verifier key that was given is not one."""


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise Rejected(otherwise)


class Key(NamedTuple):
    """A verifier key. ``kind``: 1 Ed25519 of a ledger, 4 Ed25519 of a witness, 6 ML-DSA-44 of either."""

    name: str
    key_id: bytes
    kind: int
    public_key: bytes


@dataclass
class Trust:
    """Whom the reader trusts: keys of ledgers, witnesses and groups of them by name, and who must have cosigned.

    ``until`` says of keys, by their id in hexadecimal, up to which size they sign: of former and of compromised ones.
    """

    keys: list[Key]
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = "none"
    until: dict[str, int] = field(default_factory=dict)

    def is_met_by(self, cosigned: dict[str, int], name: str = "") -> bool:
        """Tell whether these witnesses are enough."""
        name = name or self.quorum
        if name not in self.groups:
            return name == "none" or name in cosigned
        needs, members = self.groups[name]
        return sum(self.is_met_by(cosigned, member) for member in members) >= needs


class Term(NamedTuple):
    """Keys of a ledger and the sizes that they sign; ``part`` is the folder that shows how they took over.

    ``loss`` is what the entry at a new origin says of it, ``suspected`` since when somebody else may have the former
    keys, in seconds since 1970; 0 where they were not compromised.
    """

    since: int
    until: int
    keys: list[Key]
    part: str = "keys"
    loss: str = ""
    suspected: int = 0


@dataclass
class Entry:
    """One verified entry: where, when (as the ledger claims) and what kind, and what was opened of it.

    ``standing`` says what it rests on where the key that signed it was compromised later.
    """

    index: int
    unix_ms: int
    kind: str
    fields: dict[str, str]
    withheld: list[str]
    standing: str = ""


@dataclass
class Verdict:
    """The outcome. ``problems`` is empty exactly when everything verified.

    ``gaps`` names entries about an opened subject that the bundle leaves out: allowed, but the reader must know.
    ``cosigned`` has the witnesses of the reader's policy that cosigned, and the time stated, in seconds since 1970.
    ``marks`` has the numbers of each account whose copies were opened, computed anew.
    """

    origin: str = ""
    key: str = ""
    size: int = 0
    root: str = ""
    cosigned: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Tell whether every check passed."""
        return not self.problems


# --- the container: a stored zip with exactly one byte form
def write_zip(members: dict[str, bytes]) -> bytes:
    """Return a zip of uncompressed members in name order, with fixed times and modes: equal members, equal bytes."""
    body, directory, offset = [], [], 0
    for name in sorted(members):
        data, raw = members[name], name.encode("ascii")
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(raw), 0)
        body += [b"PK\x03\x04", common, raw, data]
        tail = struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, offset)
        directory += [b"PK\x01\x02", struct.pack("<H", 0x0314), common, tail, raw]
        offset += 30 + len(raw) + len(data)
    sizes = (len(members), len(members), sum(map(len, directory)), offset, 0)
    return b"".join([*body, *directory, b"PK\x05\x06", struct.pack("<HHHHIIH", 0, 0, *sizes)])


def read_zip(bundle: bytes) -> dict[str, bytes]:
    """Return a bundle's members by name, after writing the zip anew: anything but the very same bytes is refused.

    So there is no compression, comment, link, second directory or hidden data on which two programs could disagree.
    """
    _demand(len(bundle) <= MAX_BUNDLE_BYTES, "the bundle is larger than 128 MiB")
    members: dict[str, bytes] = {}
    at = 0
    while bundle[at : at + 4] == b"PK\x03\x04" and len(bundle) >= at + 30 and len(members) < MAX_MEMBERS:
        size, length = struct.unpack_from("<I", bundle, at + 22)[0], struct.unpack_from("<H", bundle, at + 26)[0]
        name = bundle[at + 30 : at + 30 + length].decode("ascii", "replace")
        _demand(_allowed(name) and name not in members, "the zip has a file that a bundle does not have, or one twice")
        members[name] = bundle[at + 30 + length : at + 30 + length + size]
        at += 30 + length + size
    _demand(write_zip(members) == bundle, "the zip is not in its one canonical form (changed, or packed again?)")
    return members


def _allowed(name: str) -> bool:
    is_extra = _EXTRA.fullmatch(name) and not _DEVICE.match(name)
    is_part = any(form.fullmatch(name) for form in (_ENTRY, _HISTORY, _CHANGE, _ORIGIN, _THEFT, _STAMP))
    return name in (*FIXED_MEMBERS, SECTIONS, *MARKS) or bool(is_part or is_extra)


def check_members(members: dict[str, bytes]) -> list[int]:
    """Check the manifest and that each entry is complete; return the entries' indexes in order."""
    lines = [f"{hashlib.sha256(members[n]).hexdigest()}  {n}\n" for n in sorted(members) if n != "manifest.sha256"]
    is_right = members.get("manifest.sha256") == "".join(lines).encode("ascii")
    _demand(is_right, "the manifest does not list exactly the other files with their SHA-256")
    lowered = [name.lower() for name in members]
    if any(name not in members for name in FIXED_MEMBERS) or len(set(lowered)) != len(lowered):
        raise Rejected("the bundle lacks a file or has two names that differ only in case")
    matches = [match for match in map(_ENTRY.fullmatch, members) if match]
    indexes = sorted({int(match.group(1)) for match in matches})
    _demand(
        indexes and len(matches) == 3 * len(indexes),
        "the bundle has no entries, or an entry lacks its leaf, proof or opening",
    )
    _check_sections(members)
    return indexes


def sections_of(members: dict[str, bytes]) -> bytes:
    """Return the list of sections that a bundle of these members states."""
    folders = {name.split("/")[0] for name in members}
    listed = [section for section in _KNOWN_SECTIONS if section.split("/")[0] in folders]
    return "".join([_SECTIONS_HEAD, *(f"{section}\n" for section in listed)]).encode()


def _check_sections(members: dict[str, bytes]) -> None:
    """Check that a bundle has exactly the sections that it states. One of version 1 states none, and has entries."""
    stated = members.get(SECTIONS)
    if stated is None:
        _demand(
            not any("/" in name and not name.startswith("entries/") for name in members),
            "the bundle has sections that it does not state",
        )
        return
    lines = _text(stated, "the list of sections").split("\n")
    unknown = [line for line in lines[1:-1] if line not in _KNOWN_SECTIONS]
    _demand(not unknown, "the bundle has a section that this verifier does not know; a newer one may")
    _demand(stated == sections_of(members), "the list of sections does not fit the bundle")
    history = [match.group(1) for match in map(_HISTORY.fullmatch, members) if match]
    _demand(all(history.count(size) == 2 for size in history), "an older checkpoint lacks its proof")
    _demand(sum(name in members for name in MARKS) in (0, len(MARKS)), "a file about marks is missing")
    for form in (_CHANGE, _ORIGIN):
        changes = [match.group(1) for match in map(form.fullmatch, members) if match]
        _demand(all(changes.count(size) == 5 for size in changes), "a change of the ledger's key lacks a part")
    thefts = [match.groups() for match in map(_THEFT.fullmatch, members) if match]
    parts = [sorted(part for one, part in thefts if one == size) for size, _ in thefts]
    whole = sorted(("checkpoint", "leaf", "open.json", "proof", "tlog-proof"))
    dated = sorted((*whole, "trusted.checkpoint", "trusted.proof"))
    _demand(all(part in (whole, dated) for part in parts), "a change of the ledger's key lacks a part")
    stamps = [match.groups() for match in map(_STAMP.fullmatch, members) if match]
    is_whole = all({(size, "checkpoint"), (size, "proof")} < set(stamps) for size, _ in stamps)
    _demand(is_whole, "a time-stamped checkpoint lacks its proof")


# --- Ed25519 (RFC 8032 section 5.1), verification only
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


def _decoded_point(encoded: bytes) -> tuple[int, int, int, int]:
    """Decode a point (section 5.1.3). Refused: a second spelling, and small order, which as a key verifies anything."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    _demand(len(encoded) == 32 and y < _P, "a curve point is not in canonical form")
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    _demand((x * x - square) % _P == 0, "a curve point is not on the curve")
    x = _P - x if x & 1 != sign else x  # x = 0 has no sign, and small order
    point = eightfold = (x, y, 1, x * y % _P)
    for _ in range(3):
        eightfold = _added(eightfold, eightfold)
    _demand(eightfold[0], "a curve point is of small order")
    return point


def _added(p: tuple[int, int, int, int], q: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Add two points in extended coordinates (section 5.1.4); the formula is complete and so doubles as well."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


_BASE = _decoded_point(bytes([0x58]) + bytes([0x66]) * 31)


def ed25519_verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature is good: [S]B = R + [k]A, S below the group order, all encodings canonical."""
    s = int.from_bytes(signature[32:], "little")
    try:
        key = _decoded_point(public_key)
    except Rejected:
        return False
    if len(signature) != 64 or s >= _L:  # a larger S would be a second signature over the same message
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _L
    negative = (_P - key[0], key[1], 1, _P - key[3])
    choices = (_BASE, negative, _added(_BASE, negative))
    total = (0, 1, 1, 0)
    for bit in range(252, -1, -1):
        total = _added(total, total)
        choice = (s >> bit & 1) + 2 * (k >> bit & 1)
        total = _added(total, choices[choice - 1]) if choice else total
    inverse = pow(total[2], _P - 2, _P)
    x, y = total[0] * inverse % _P, total[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# --- ML-DSA-44 (FIPS 204), verification only
_Q, _ROOT, _GAMMA1, _GAMMA2, _TAU, _OMEGA = 8_380_417, 1753, 2**17, 95_232, 39, 80
_ZETAS = [pow(_ROOT, int(f"{i:08b}"[::-1], 2), _Q) for i in range(256)]


def ml_dsa_44_verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature is good (algorithms 3 and 8), with the empty context."""
    if len(public_key) != 1_312 or len(signature) != 2_420:
        return False
    z = [[_GAMMA1 - n for n in _unpacked(signature[32 + 576 * i : 608 + 576 * i], 18)] for i in range(4)]
    hints = _hints(signature[2_336:])
    if hints is None or max(abs(n) for row in z for n in row) >= _GAMMA1 - 2 * _TAU:
        return False
    mu = hashlib.shake_256(hashlib.shake_256(public_key).digest(64) + b"\0\0" + message).digest(64)
    challenge, turned, encoded = _ntt(_in_ball(signature[:32])), [_ntt(row) for row in z], b""
    for r in range(4):
        t1 = _ntt([n << 13 for n in _unpacked(public_key[32 + 320 * r : 352 + 320 * r], 10)])
        total = [-challenge[i] * t1[i] for i in range(256)]
        for s in range(4):
            row = _uniform(public_key[:32] + bytes([s, r]))
            total = [total[i] + row[i] * turned[s][i] for i in range(256)]
        high = [_high(n % _Q, i in hints[r]) for i, n in enumerate(_turned_back(total))]
        encoded += sum(n << 6 * i for i, n in enumerate(high)).to_bytes(192, "little")
    return hashlib.shake_256(mu + encoded).digest(32) == signature[:32]


def _unpacked(raw: bytes, bits: int) -> list[int]:
    number = int.from_bytes(raw, "little")
    return [number >> bits * i & (1 << bits) - 1 for i in range(256)]


def _hints(raw: bytes) -> list[set[int]] | None:
    """Return the places of the hints of each row, ascending and with nothing after them; None for any other bytes."""
    rows, at = [], 0
    for end in raw[_OMEGA:]:
        row = raw[at:end]
        if not at <= end <= _OMEGA or any(row[i] >= row[i + 1] for i in range(len(row) - 1)):
            return None
        rows.append(set(row))
        at = end
    return None if any(raw[at:_OMEGA]) else rows


def _in_ball(seed: bytes) -> list[int]:
    stream = hashlib.shake_256(seed).digest(1_024)
    signs, at, ball = int.from_bytes(stream[:8], "little"), 8, [0] * 256
    for i in range(256 - _TAU, 256):
        while stream[at] > i:
            at += 1
        ball[i], ball[stream[at]] = ball[stream[at]], 1 - 2 * (signs & 1)
        signs, at = signs >> 1, at + 1
    return ball


def _uniform(seed: bytes) -> list[int]:
    stream = hashlib.shake_128(seed).digest(1_536)
    numbers = (int.from_bytes(stream[i : i + 3], "little") & 0x7FFFFF for i in range(0, 1_536, 3))
    return [n for n in numbers if n < _Q][:256]


def _ntt(row: list[int]) -> list[int]:
    w, m, length = list(row), 0, 128
    while length:
        for start in range(0, 256, 2 * length):
            m += 1
            for j in range(start, start + length):
                t = _ZETAS[m] * w[j + length] % _Q
                w[j], w[j + length] = (w[j] + t) % _Q, (w[j] - t) % _Q
        length >>= 1
    return w


def _turned_back(row: list[int]) -> list[int]:
    w, m, length = [n % _Q for n in row], 256, 1
    while length < 256:
        for start in range(0, 256, 2 * length):
            m -= 1
            for j in range(start, start + length):
                w[j], w[j + length] = (w[j] + w[j + length]) % _Q, _ZETAS[m] * (w[j + length] - w[j]) % _Q
        length *= 2
    return [n * 8_347_681 % _Q for n in w]  # times 1/256


def _high(number: int, is_hinted: bool) -> int:  # noqa: FBT001 - a bit of the signature
    low = number % (2 * _GAMMA2)
    low -= 2 * _GAMMA2 if low > _GAMMA2 else 0
    high = (number - low) // (2 * _GAMMA2)  # 44, of the largest numbers, is 0
    return (high + (1 if low > 0 else -1) * is_hinted) % 44


# --- signed notes, checkpoints and proofs
def _base64(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:  # not ASCII, or not base64
        return None
    return raw if base64.b64encode(raw).decode("ascii") == text else None


def _decimal(text: str) -> int | None:
    number = int(text) if _DECIMAL.fullmatch(text) else 2**63
    return number if number < 2**63 else None


def _is_name(name: str) -> bool:
    return bool(name) and not any(c.isspace() or c < " " or c == "+" or "\ud800" <= c <= "\udfff" for c in name)


def parse_key(vkey: str, types: tuple[int, ...] = (1, 6)) -> Key:
    """Return a verifier key ``<name>+<key id>+<base64>`` of one of these types (C2SP signed-note, tlog-cosignature)."""
    name, _, rest = vkey.strip().partition("+")
    raw = _base64(rest[9:]) or b"\0"
    try:
        _demand(_is_name(name) and len(raw) == (1_313 if raw[0] == 6 else 33), "it is not a verifier key")
        _demand(raw[0] in types, "it is of a type that has no place there")
        key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        _demand(rest[:9] == f"{key_id.hex()}+", "its id does not belong to it (copied wrong, or changed?)")
        if raw[0] != 6:
            _decoded_point(raw[1:])
    except Rejected as exc:
        raise BadKey(f"the key cannot be used: {exc}") from exc
    return Key(name, key_id, raw[0], raw[1:])


def signature_lines(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a note into its text and (key name, key id and signature) of each line, unverified."""
    text, blank, signatures = note.rpartition("\n\n")
    _demand(not any(c < " " and c != "\n" for c in note), "the checkpoint holds a control character")
    _demand(blank and signatures.endswith("\n"), "the checkpoint has no signature or no final line end")
    lines: list[tuple[str, bytes]] = []
    for line in signatures[:-1].split("\n"):
        parts = line.split(" ")
        raw = _base64(parts[2]) if len(parts) == 3 and parts[0] == "\u2014" and _is_name(parts[1]) else None
        if raw is None or len(raw) <= 4 or len(lines) == MAX_SIGNATURES:
            raise Rejected("a signature line of the checkpoint is malformed")
        lines.append((parts[1], raw))
    return text + "\n", lines


def _signature(lines: list[tuple[str, bytes]], key: Key) -> bytes | None:
    found = [raw[4:] for signer, raw in lines if (signer, raw[:4]) == key[:2]]
    _demand(len(found) <= 1, f"the checkpoint is signed more than once by {shown(key.name)}")
    return found[0] if found else None


def _cosigned_at(text: str, signature: bytes, key: Key) -> int:
    """Return the time that a cosignature over a checkpoint's text states, or 0 for a bad one (tlog-cosignature)."""
    unix_s, (name, _, kind, public_key) = int.from_bytes(signature[:8], "big"), key
    origin, size, root = (*text.split("\n"), "", "")[:3]
    message = f"cosignature/v1\ntime {unix_s}\n{text}".encode()
    if kind == 6:
        names = [bytes([len(one.encode()) % 256]) + one.encode() for one in (name, origin)]
        numbers = signature[:8], bytes(8) + (_decimal(size) or 0).to_bytes(8, "big") + (_base64(root) or b"")
        message = b"subtree/v1\n\0" + names[0] + numbers[0] + names[1] + numbers[1]
    verifies = ml_dsa_44_verifies if kind == 6 else ed25519_verifies
    return unix_s if unix_s < 2**63 and verifies(public_key, signature[8:], message) else 0


def open_checkpoint(note: bytes, keys: list[Key], origin: str = "") -> tuple[int, bytes, int]:
    """Verify a checkpoint's signatures under the given keys of ledgers; return size, root, number of other signatures.

    One key of each type that is given must have signed it: else whoever forges Ed25519 one day would leave the line of
    ML-DSA-44 away. More than one of a type stand only where a key took over from another. Its ledger is the keys';
    where a key hands over to one of another origin, it is that ``origin``.
    """
    _demand(len(note) <= MAX_NOTE_BYTES, "the checkpoint is too long")
    text, lines = signature_lines(_text(note, "the checkpoint"))
    stated = text.split("\n")
    signed: list[int] = []
    for key in keys:
        signature = _signature(lines, key)
        if signature is None:
            continue
        is_good = (
            _cosigned_at(text, signature, key)
            if key.kind == 6
            else ed25519_verifies(key.public_key, signature, text.encode())
        )
        _demand(is_good, "the checkpoint's signature does not verify under the key that was given")
        _demand(
            len(stated) == 4 and stated[0] == (origin or key.name),
            "the checkpoint is of another ledger, or has more than three lines",
        )
        signed.append(key.kind)
    _demand(signed, "the checkpoint is not signed (once) by the key that was given")
    _demand({key.kind for key in keys} == set(signed), "the checkpoint lacks the Ed25519 or the ML-DSA-44 signature")
    size, root = _decimal(stated[1]), _base64(stated[2])
    if not size or root is None:
        raise Rejected("the checkpoint's size or root is not in canonical form")
    return size, root, len(lines) - len(signed)


def cosignatures(note: bytes, trust: Trust) -> dict[str, int]:
    """Verify the cosignatures of known witnesses; return the time that each states; a bad one refuses."""
    text, lines = signature_lines(_text(note, "the checkpoint"))
    found: dict[str, int] = {}
    for name, key in trust.witnesses.items():
        signature = _signature(lines, key)
        if signature is not None:
            found[name] = _cosigned_at(text, signature, key)
            _demand(found[name], f"the cosignature of witness {shown(name)} does not verify")
    return found


def key_terms(members: dict[str, bytes], trust: Trust) -> list[Term]:
    """Follow the ledger's keys through their changes: who trusts one of them can trust the others, each in its time.

    At a change the former and the next keys sign the same checkpoint, whose last entry names both. After a loss the
    next ones sign under an origin of their own, which shares with the former one the entries before that entry.
    """
    origin = _text(members["checkpoint"], "the checkpoint").split("\n")[0]
    forms = {"keys": _CHANGE, "origins": _ORIGIN, "compromises": _THEFT}
    steps = [(size, part) for part, form in forms.items() for size in _sizes(members, form)]
    found: list[Term] = []
    for size, part in sorted(steps):
        try:
            former, term = _changed(members, size, part)
            _demand(not found or former == found[-1].keys, "it does not follow the one before")
        except (BadKey, Rejected) as exc:
            raise Rejected(f"{_WHAT[part]} at {size} entries: {exc}") from exc
        found = found or [Term(0, 0, former)]
        found[-1] = found[-1]._replace(until=size - (part != "keys"))
        found.append(term)
    _demand(not found or found[-1].keys[0].name == origin, "the checkpoint is of another ledger than its keys")
    names = {key.name for term in found for key in term.keys} or {origin}
    given = [key for key in trust.keys if key.name in names] or trust.keys[:1]
    found = found or [Term(0, 2**63, given)]
    is_known = all(any(key in term.keys for term in found) for key in given)
    _demand(is_known, "you gave a key that is none of those which the bundle shows the ledger to have had")
    reached, end, why = False, 0, "may not sign the change to the ledger's present key"
    for term in found:
        if reached and term.suspected:  # whoever has a compromised key can make it lead anywhere
            reached, why = False, "was compromised, the bundle says: take the present one from where you trust"
        reached = reached or any(key in term.keys for key in given)
        end = term.until
        if term is not found[-1]:  # a key leads to the next one only where it may sign the change
            reached = reached and end <= min(trust.until.get(key.key_id.hex(), end) for key in term.keys)
    _demand(reached, f"the key that you trust {why}")
    return found


_WHAT = {"keys": "change of the ledger's key", "origins": "new origin of the ledger"}
_WHAT["compromises"] = "replacement of the ledger's compromised key"


def _changed(members: dict[str, bytes], size: int, part: str) -> tuple[list[Key], Term]:
    leaf, opening, proof, note = (
        members[f"{part}/{size}.{name}"] for name in ("leaf", "open.json", "tlog-proof", "checkpoint")
    )
    _, kind, commitments = parse_leaf(leaf)
    fields = check_opening(opening, size - 1, leaf, commitments)
    is_named = kind == ("key" if part == "keys" else "epoch") and {"request", "detail"} <= set(fields)
    _demand(is_named, "its entry does not name the keys")
    former, following = ([parse_key(key) for key in fields[name].split(" ")] for name in ("request", "detail"))
    origins = former[0].name, following[0].name
    for keys, origin in ((former, origins[0]), (following, origins[1])):
        _demand([(key.kind, key.name) for key in keys] == [(1, origin), (6, origin)], "its entry names other keys")
        stated, root, _ = open_checkpoint(note, keys, origins[1])
        _demand(stated == size, "it is of another size")
    hashes = check_proof(proof, leaf, note, (size - 1, size, root))
    if part == "keys":
        _demand(origins[0] == origins[1], "its entry names other keys")
        return former, Term(size, 2**63, following)
    said = fields.get("result", "")
    told = {"origins": _LOSS, "compromises": _STOLEN}[part].fullmatch(said)
    since = _check_shared(origins, told, hashes, size - 1)
    return former, Term(size, 2**63, following, part, said, _seconds(since) if part == "compromises" else 0)


def _seconds(text: str) -> int:
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError as exc:
        raise Rejected("its entry states no time") from exc


def _check_shared(origins: tuple[str, str], told: re.Match[str] | None, hashes: list[bytes], size: int) -> str:
    """Check that one origin follows another, and that the entries before the first of its own are those that it says.

    The proof of a tree's last entry has the hashes that the root of the tree before it is made of. Returns what else
    it says: since when the key is suspected, or what was kept.
    """
    base, number = _parts_of(origins[0])
    _demand(_parts_of(origins[1]) == (base, number + 1), "its origin does not follow the former one")
    root = b""
    for sibling in hashes:
        root = hashlib.sha256(b"\x01" + sibling + root).digest() if root else sibling
    if told is None or told.groups()[:2] != (str(size), root.hex()):
        raise Rejected("its entry names other entries than those before it")
    return told.group(3)


def _parts_of(origin: str) -> tuple[str, int]:
    found = _EPOCH.fullmatch(origin)
    return (found.group(1), int(found.group(2))) if found else (origin, 1)


def _sizes(members: dict[str, bytes], pattern: re.Pattern[str]) -> list[int]:
    found = [match for match in map(pattern.fullmatch, members) if match]
    return sorted(int(match.group(1)) for match in found if match.group(2) == "proof")


def open_in_time(note: bytes, terms: list[Term], trust: Trust) -> tuple[int, bytes, int]:
    """Verify a checkpoint under the keys that may sign its size; see ``open_checkpoint``."""
    stated = [*_text(note, "the checkpoint").split("\n"), ""]
    size = _decimal(stated[1]) or 0
    keys = [key for term in terms if term.since <= size <= term.until for key in term.keys]
    keys = [key for key in keys if size <= trust.until.get(key.key_id.hex(), size)]
    _demand(keys, "the checkpoint has more entries than any key that you trust may sign")
    kinds = [key.kind for key in keys if key.key_id.hex() not in trust.until]
    is_one_each = len(terms) > 1 or len(set(kinds)) == len(kinds)
    _demand(is_one_each, "you gave several keys of one kind: say with --until which sizes the former ones sign")
    return open_checkpoint(note, keys)


def _check_continued(members: dict[str, bytes], place: str, old: tuple[int, bytes], new: tuple[int, bytes]) -> None:
    """Verify that the bundle's checkpoint continues an older one (RFC 9162, 2.1.4.2)."""
    lines = _text(members[f"{place}.proof"], "a consistency proof").split("\n")
    is_of_both = old[0] <= new[0] and lines[:2] == ["consistency/v1", f"{old[0]} {new[0]}"]
    _demand(is_of_both, "it is of another size")
    _demand(lines[-1] == "", "the consistency proof is malformed")
    _check_consistency(old, new, [_base64(line) or b"" for line in lines[2:-1]])


def check_changes(members: dict[str, bytes], size: int, root: bytes, terms: list[Term]) -> list[str]:
    """Verify that the bundle's checkpoint continues those at which a key took over; say so of each."""
    told = []
    for former, term in ((terms[i], terms[i + 1]) for i in range(len(terms) - 1)):
        try:
            old_root = open_checkpoint(members[f"{term.part}/{term.since}.checkpoint"], term.keys)[1]
            _check_continued(members, f"{term.part}/{term.since}", (term.since, old_root), (size, root))
        except Rejected as exc:
            raise Rejected(f"{_WHAT[term.part]} at {term.since} entries: {exc}") from exc
        if term.part == "keys":
            told.append(f"at {term.since} entries the ledger's key was exchanged, by a checkpoint that both signed")
            continue
        names = [shown(one.keys[0].name) for one in (former, term)]
        said = f"after {former.until} entries {names[0]} went on as {names[1]}, by a checkpoint that both signed"
        if term.suspected:
            told.append(f"{said}. The key of {names[0]} was compromised, suspected since {_moment(term.suspected)}")
            continue
        told.append(f"{said}. What {names[0]} had beyond these entries was lost: {shown(term.loss)}")
    return told


def check_dated(
    members: dict[str, bytes], size: int, root: bytes, terms: list[Term], trust: Trust
) -> list[tuple[int, int, str]]:
    """Verify what others dated, where a key was compromised: checkpoints of before, and all others with cosignatures.

    Returns size, time in seconds since 1970, and who says so, of each; a time-stamp's is what it states.
    """
    notes: list[tuple[int, bytes]] = []
    thefts = [term for term in terms if term.suspected]
    if not thefts:
        return []
    for term in thefts:
        place = f"compromises/{term.since}.trusted"
        note = members.get(f"{place}.checkpoint")
        if note is None:
            continue
        try:
            old_size, old_root, _ = open_in_time(note, terms, trust)
            _demand(term.loss.endswith(f" {old_size} {old_root.hex()}"), "it is not the one that the entry names")
            _check_continued(members, place, (old_size, old_root), (size, root))
        except Rejected as exc:
            raise Rejected(f"checkpoint from before {_WHAT[term.part]} at {term.since} entries: {exc}") from exc
        notes.append((old_size, note))
    for part, form in (("history", _HISTORY), ("stamps", _STAMP)):  # these were verified before
        notes += [(old, members[f"{part}/{old}.checkpoint"]) for old in _sizes(members, form)]
    dated = [
        (old, at, f"witness {shown(name)} cosigned {old} entries at {_moment(at)}")
        for old, note in notes
        for name, at in cosignatures(note, trust).items()
    ]
    for name in sorted(members):
        if name.endswith(".tsr"):
            old = int(name.split("/")[1].split(".")[0])
            at = _stated_at(members[name], name, members[f"stamps/{old}.checkpoint"])
            dated.append((old, at, f"time-stamp {name} states {_moment(at)}, once you verified it"))
    return dated


def standing_of(index: int, terms: list[Term], dated: list[tuple[int, int, str]]) -> str:
    """Say what an entry rests on whose key was compromised later; nothing of any other."""
    thefts = [term for term in terms if term.suspected and index < term.since - 1]
    if not thefts:
        return ""
    since = min(term.suspected for term in thefts)
    held = [(size, said) for size, at, said in dated if index < size and at < since]
    why = "; ".join(said for size, said in held if size == min(held)[0]) + ", before that" if held else _BARE
    return f"the key that signed it was compromised later, suspected since {_moment(since)}: {why}"


_BARE = "nothing here that is dated before that holds it up, only the present key"


def check_history(
    members: dict[str, bytes], size: int, root: bytes, terms: list[Term], trust: Trust
) -> list[tuple[int, dict[str, int]]]:
    """Verify older checkpoints: signed by the keys of their time, and continued by the bundle's."""
    found = []
    for old in _sizes(members, _HISTORY):
        try:
            note = members[f"history/{old}.checkpoint"]
            old_size, old_root, _ = open_in_time(note, terms, trust)
            _demand(old_size == old, "it is of another size")
            _check_continued(members, f"history/{old}", (old, old_root), (size, root))
            seen = cosignatures(note, trust)
            _demand(trust.is_met_by(seen), "not enough witnesses of your policy have cosigned it")
            found.append((old, seen))
        except Rejected as exc:
            raise Rejected(f"older checkpoint of {old} entries: {exc}") from exc
    return found


def check_stamps(members: dict[str, bytes], size: int, root: bytes, terms: list[Term], trust: Trust) -> list[str]:
    """Verify time-stamped checkpoints like older ones; say of each token how it is verified, which is not done here.

    A token (RFC 3161) is under keys and certificates of an authority, with which this file does not compute. That it
    has the digest of the checkpoint beside it is looked at, so that one of another checkpoint is found out.
    """
    told = []
    for old in _sizes(members, _STAMP):
        try:
            note = members[f"stamps/{old}.checkpoint"]
            old_size, old_root, _ = open_in_time(note, terms, trust)
            _demand(old_size == old, "it is of another size")
            _check_continued(members, f"stamps/{old}", (old, old_root), (size, root))
            names = sorted(name for name in members if name.startswith(f"stamps/{old}.") and name.endswith(".tsr"))
            told += [_to_check(members[name], name, note, old) for name in names]
        except Rejected as exc:
            raise Rejected(f"time-stamped checkpoint of {old} entries: {exc}") from exc
    return told


def _stated_at(token: bytes, name: str, note: bytes) -> int:
    after = token.partition(hashlib.sha256(note).digest())[2]
    stated = _STATED_TIME.search(after)
    if stated is None:
        raise Rejected(f"the time-stamp {name} is of something else")
    try:
        return calendar.timegm(time.strptime(stated.group(1).decode("ascii"), "%Y%m%d%H%M%S"))
    except ValueError as exc:
        raise Rejected(f"the time-stamp {name} states no time") from exc


def _to_check(token: bytes, name: str, note: bytes, size: int) -> str:
    at = _stated_at(token, name, note)
    command = f"openssl ts -verify -data stamps/{size}.checkpoint -in {name} -CAfile AUTHORITY.pem -attime {at}"
    return f"the time-stamp {name}, which states {_moment(at)}. With the authority's certificates, unpacked: {command}"


def _check_consistency(old: tuple[int, bytes], new: tuple[int, bytes], hashes: list[bytes]) -> None:
    _demand(all(len(each) == 32 for each in hashes), "the consistency proof is malformed")
    (first, old_root), (second, new_root) = old, new
    if first == second:
        _demand(not hashes and old_root == new_root, "the consistency proof does not lead to the signed root")
        return
    path = hashes if first & (first - 1) else [old_root, *hashes]
    _demand(path, "the consistency proof is too short")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    left = right = path[0]
    for step in path[1:]:
        _demand(last, "the consistency proof is too long")
        if at & 1 or at == last:
            left, right = (hashlib.sha256(b"\x01" + step + node).digest() for node in (left, right))
            while not at & 1:
                at, last = at >> 1, last >> 1
        else:
            right = hashlib.sha256(b"\x01" + right + step).digest()
        at, last = at >> 1, last >> 1
    _demand(
        not last and (left, right) == (old_root, new_root), "the consistency proof does not lead to the signed root"
    )


def check_proof(proof: bytes, leaf: bytes, note: bytes, place: tuple[int, int, bytes]) -> list[bytes]:
    """Verify a ``.tlog-proof`` for a leaf at (index, size, root) and return its hashes.

    Its checkpoint is the bundle's, byte for byte.
    """
    index, size, root = place
    head, _, carried = proof.partition(b"\n\n")
    lines = _text(head, "a proof").split("\n")
    if carried != note or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Rejected("the proof is malformed or holds another checkpoint")
    hashes = [_base64(line) or b"" for line in lines[2:]]
    _demand(lines[1:2] == [f"index {index}"], "the proof is of another index")
    node, position, last = hashlib.sha256(b"\x00" + leaf).digest(), index, size - 1
    _demand(position <= last, "the index is not below the size of the ledger")
    for sibling in hashes:  # RFC 9162 section 2.1.3.2
        if len(sibling) != 32 or last == 0:
            raise Rejected("the inclusion proof is malformed or too long")
        if position & 1 or position == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        position, last = position >> 1, last >> 1
    _demand(not last and node == root, "the inclusion proof does not lead to the signed root")
    return hashes


# --- leaves, openings, chains
def parse_leaf(leaf: bytes) -> tuple[int, str, dict[str, bytes]]:
    """Read a leaf: time in milliseconds, kind, and the commitment of each field by name."""
    lines = _text(leaf, "a leaf").split("\n")
    if len(lines) != 5 or lines[0] != "alog/v1" or lines[4]:
        raise Rejected("the leaf is not of version alog/v1")
    unix_ms, joined = _decimal(lines[1]), _base64(lines[3])
    if unix_ms is None or joined is None or not _KIND.fullmatch(lines[2]) or len(joined) % 32:
        raise Rejected("the leaf is not in canonical form")
    records = len(joined) // 32 - len(FIXED_FIELDS)
    _demand(0 <= records <= MAX_RECORDS, "the leaf's number of commitments fits no field list")
    names = [*FIXED_FIELDS, *(f"record.{number}" for number in range(records))]
    return unix_ms, lines[2], {name: joined[32 * i : 32 * i + 32] for i, name in enumerate(names)}


def check_opening(opening: bytes, index: int, leaf: bytes, commitments: dict[str, bytes]) -> dict[str, str]:
    """Check every opened field against its commitment; return the values (text, or ``hex:`` and digits)."""
    document = json_object(opening)
    fields = document.get("fields")
    if not isinstance(fields, dict) or set(document) != {"index", "leaf_sha256", "fields"}:
        raise Rejected("the opening is malformed")
    is_ours = (repr(document["index"]), document["leaf_sha256"]) == (str(index), hashlib.sha256(leaf).hexdigest())
    _demand(is_ours, "the opening is of another entry")
    values: dict[str, str] = {}
    for name, opened in fields.items():
        _demand(name in commitments, "the opening names a field that the leaf does not have")
        salt, value, values[name] = opened_field(opened)
        digest = hashlib.sha256(b"alog/v1/c\0" + salt + bytes([len(name)]) + name.encode() + value).digest()
        _demand(digest == commitments[name], f"field {name}: the opened value is not what the ledger committed to")
    is_canonical = (json.dumps(document, ensure_ascii=True, indent=1) + "\n").encode("utf-8") == opening
    _demand(is_canonical, "the opening is not in its one canonical form")
    return values


def opened_field(opened: object) -> tuple[bytes, bytes, str]:
    """Return salt, value bytes and the value to show. Each value has one spelling: hex only if it is not UTF-8."""
    parts = opened if isinstance(opened, dict) and len(opened) == 2 else {}
    salt, text, digits = parts.get("salt"), parts.get("value"), parts.get("hex", "")
    _demand(isinstance(digits, str) and _SALT_AND_HEX.fullmatch(f"{salt} {digits}"), "an opened field is malformed")
    value = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes.fromhex(digits)
    is_utf8 = value.decode("utf-8", "replace").encode() == value
    _demand(is_utf8 == isinstance(text, str), "an opened field is malformed: text that is not UTF-8, or hex that is")
    return bytes.fromhex(str(salt)), value, str(text) if is_utf8 else f"hex:{digits}"


def check_chains(entries: list[Entry], problems: list[str], gaps: list[str]) -> int:
    """Follow each opened subject through its counters; list contradictions and gaps; return the number of links."""
    chains: dict[str, list[tuple[int, int, int]]] = {}
    for entry in (each for each in entries if set(_CHAIN_FIELDS) <= set(each.fields)):
        subjects, counters, previous = (entry.fields[name].split(" ") for name in _CHAIN_FIELDS)
        if subjects == counters == previous == [""]:
            continue
        if not len(subjects) == len(counters) == len(previous):
            problems.append(f"entry {entry.index}: subjects, counters and previous indexes do not pair up")
            continue
        for i, subject in enumerate(subjects):
            before = -1 if previous[i] == "-" else _decimal(previous[i])
            link = (_decimal(counters[i]) or 0, entry.index, entry.index if before is None else before)
            chains.setdefault(subject, []).append(link)
    for subject, links in sorted(chains.items()):
        counted, at = 0, -1
        for counter, index, before in links:
            missing = counter - counted - 1
            if missing < 0 or before >= index or (before != at if missing == 0 else before < at + missing):
                problems.append(f"entry {index}: contradicts other entries of subject {shown(subject)}, or itself")
            elif missing:
                gaps.append(f"{missing} entries before entry {index} about subject {shown(subject)}")
            counted, at = counter, index
    return sum(len(links) for links in chains.values())


# --- marks: how far the writing of a text speaks for served copies, computed anew
# Limits of a statement, and what it is at most called with such a bound (docs/attribution.md).
_TIERS = {"none": 1.0, "lead": 0.05, "strong": 1e-3, "attributed copy": 1e-6}
_MAX_DRAWS, _MAX_STEPS, _CLOSE, _MOST = 20_000, 50_000_000, 1e-9, 1e300
_FIXED_BY = re.compile(r"weights ([0-9a-f]{64}) model ([0-9a-f]{64})")


class Slot(NamedTuple):
    """One place in the writing of one value, as read; ``kept``: how often a form survives, behaviour by behaviour."""

    name: str
    forms: int
    kept: tuple[float, ...]
    has_public: bool
    read: int | None


class Model(NamedTuple):
    """What steers how much a place in the writing counts: shares of behaviours, of text from elsewhere; the slots."""

    behaviours: list[float]
    elsewhere: list[tuple[float, float]]
    public_habit: float
    table: dict[str, list[tuple[str, int, tuple[float, ...], bool]]]
    version: int


def e_value(model: Model, values: list[list[Slot]], drawn: list[list[int]]) -> float:
    """Return how much likelier the reading is if it derives from these forms than from forms drawn at random.

    A mean over ways in which a text may have been carried on, and over shares of it that come from elsewhere. In each,
    a value's factor is (1 - share) * product over its slots of P(read | drawn) / P(read | a random form) + share. Where
    a form is not kept, the writer's habit decides, which is learnt from the slots of one name as they are read.
    """
    total = 0.0
    for behaviour, part in enumerate(model.behaviours):
        habits: dict[str, dict[int, float]] = {}
        products = [1.0] * len(model.elsewhere)
        for slots, forms in zip(values, drawn):
            factor = 1.0
            for slot, form in zip(slots, forms):
                given, at_random, free = _chances(model, slot, form, behaviour, habits)
                factor *= given / at_random if at_random else 1.0
                _learn(habits, slot, given, free)
            parts = [(1 - share) * factor + share for share, _ in model.elsewhere]
            products = [min(_MOST, p * one) for p, one in zip(products, parts)]
        total += part * sum(weight * p for p, (_, weight) in zip(products, model.elsewhere))
    return total


def randomisation_p(model: Model, values: list[list[Slot]], observed: float, seed: int, draws: int) -> float:
    """Return the bound of P(E >= observed), above 1, for forms drawn at random: large E are favoured and count 1/E."""
    chance, counted = random.Random(seed), 1 / observed  # noqa: S311 - a repeatable test, no secret
    for _ in range(draws):
        behaviour = _picked(chance, model.behaviours)
        share = model.elsewhere[_picked(chance, [weight for _, weight in model.elsewhere])][0]
        habits: dict[str, dict[int, float]] = {}
        drawn = []
        for slots in values:
            is_elsewhere, forms = chance.random() < share, []
            for slot in slots:
                weights = [_chances(model, slot, form, behaviour, habits)[0] for form in range(1, slot.forms + 1)]
                is_flat = is_elsewhere or not any(weights)
                forms.append(1 + _picked(chance, [1.0] * slot.forms if is_flat else weights))
                given, _, free = _chances(model, slot, forms[-1], behaviour, habits)
                _learn(habits, slot, given, free)
            drawn.append(forms)
        reached = e_value(model, values, drawn)
        counted += 1 / reached if reached >= observed * (1 - _CLOSE) else 0
    return counted / (draws + 1)


def _chances(
    model: Model, slot: Slot, form: int, behaviour: int, habits: dict[str, dict[int, float]]
) -> tuple[float, float, float]:
    """Return P(read | this form), P(read | a random one), the writer's own part in both; 1 where nothing is read."""
    if slot.read is None:
        return 1.0, 1.0, 1.0
    seen = habits.get(slot.name, {})
    if slot.has_public:
        first = model.public_habit if slot.read == 0 else (1 - model.public_habit) / slot.forms
    else:
        first = 0.0 if slot.read == 0 else 1 / slot.forms
    habit = (first + seen.get(slot.read, 0.0)) / (1 + sum(seen.values()))
    kept = slot.kept[behaviour] if behaviour < len(slot.kept) else 0.0
    free = (1 - kept) * habit
    return free + kept * (slot.read == form), free + (kept / slot.forms if slot.read else 0.0), free


def _learn(habits: dict[str, dict[int, float]], slot: Slot, given: float, free: float) -> None:
    if slot.read is not None and given > 0:
        seen = habits.setdefault(slot.name, {})
        seen[slot.read] = seen.get(slot.read, 0.0) + free / given


def _picked(chance: random.Random, weights: list[float]) -> int:
    sums = list(accumulate(weights))
    at = chance.random() * sums[-1]
    return next((place for place, reached in enumerate(sums[:-1]) if at < reached), len(sums) - 1)


def drawn_by(key: bytes, account: str, category: str, table: tuple[int, list[tuple[str, int]]]) -> bytes:
    """Return what a record version's key draws for an account: one byte for each slot of the table, from 1."""
    vector = []
    for name, forms in table[1]:
        found, counter = None, 0
        while found is None:
            said = f"{table[0]}\0{counter}\0{account}\0{category}\0{name}".encode()
            below = (b for b in hmac.new(key, said, hashlib.sha256).digest() if b < 256 - 256 % forms)
            found, counter = next(below, None), counter + 1
        vector.append(1 + found % forms)
    return bytes(vector)


def check_marks(members: dict[str, bytes], verdict: Verdict) -> None:
    """Check what a bundle says of marks against the entries that fixed it, and compute anew what was opened."""
    try:
        texts = {name[6:-5]: members[name] for name in MARKS}
        documents = {name: _with_fractions(text) for name, text in texts.items()}
        _Marks(verdict, documents).check({name: hashlib.sha256(text).hexdigest() for name, text in texts.items()})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError) as exc:
        raise exc if isinstance(exc, Rejected) else Rejected("a file about marks is malformed") from exc


def _with_fractions(raw: bytes) -> dict[str, Any]:
    document = json.loads(_text(raw, "a file about marks"), object_pairs_hook=_unique, parse_constant=_decimal)
    _demand(isinstance(document, dict), "a file about marks is malformed")
    return dict(document)


class _Marks:
    """One bundle's marks. Shapes are those of docs/ledger-format.md; whatever differs raises."""

    def __init__(self, verdict: Verdict, documents: dict[str, dict[str, Any]]) -> None:
        self.verdict = verdict
        self.entries = {entry.index: entry for entry in verdict.entries}
        names = ("claims", "openings", "weights", "reading", "model")
        self.claims, self.openings, self.weights, self.reading, model = (documents[name] for name in names)
        table = {c: [(n, int(f), tuple(map(float, k)), bool(p)) for n, f, k, p in s] for c, s in model["slots"].items()}
        parts = [(float(share), float(weight)) for share, weight in model["elsewhere"]]
        behaviours = [float(part) for part in model["behaviours"]]
        self.model = Model(behaviours, parts, float(model["public_habit"]), table, int(model["table"]))

    def check(self, digests: dict[str, str]) -> None:
        reading, weights = self._fixed(digests)
        seed = int(digests["reading"][:8], 16)
        _demand(self.claims["seed"] == seed, "marks/claims.json: the seed is not that of the reading")
        accounts = {min(one["copies"]): (sorted(one["copies"]), one["weight"]) for one in self.weights["accounts"]}
        whole = sum(weight for _, weight in accounts.values())
        is_share = all(weight > 0 for _, weight in accounts.values()) and whole <= 1 + _CLOSE
        _demand(is_share, "marks/weights.json: weights are shares of one, and these are not")
        opened = self._opened()
        unopened = 0
        for claim in self.claims["accounts"]:
            copies, weight = accounts[claim["copies"][0]]
            _demand(claim["copies"] == copies, f"marks/claims.json: {shown(claim['label'])} has other copies")
            numbers = self._judged(claim, copies, opened, seed)
            unopened += numbers is None
            self._compare(claim, weight, numbers)
        told = self.verdict.checked
        told.append(
            f"marks: the reading is what entry {reading} fixed; the slot table with its rates and the weights are what "
            f"entry {weights} fixed, before draws were compared; the weights add up to one at most"
        )
        told += [
            f"marks: {shown(one['label'])}: what was drawn for {one['opened']} copies is what the ledger committed "
            f"to when they were served; e-value {one['e']:.6g}, p {one['p']:.6g} ({one['draws']} draws, seed {seed}), "
            f"bound {one['bound']:.6g}, {one['agreeing']} of {one['slots']} places agree: computed anew"
            for one in self.verdict.marks
        ]
        self.verdict.not_checked += [
            "marks: that the text is written as the reading says, and that the weights follow from times and cases",
            "marks: which copies are one account's; what the report says of posteriors and of two copies together",
            f"marks: e-values and p of {unopened} accounts whose copies were not opened",
        ]

    def _fixed(self, digests: dict[str, str]) -> tuple[int, int]:
        """Check that entries fixed reading, weights and model; return their indexes."""
        first, second = self.claims["reading_entry"], self.claims["weights_entry"]
        kinds = [self.entries[i].kind if i in self.entries else "" for i in (first, second)]
        _demand(
            kinds == ["reading", "weights"] and first < second, "marks: an entry that fixed them is not in the bundle"
        )
        is_fixed = self.entries[first].fields.get("result") == digests["reading"]
        _demand(is_fixed, f"marks/reading.json is not the reading that entry {first} fixed before copies were compared")
        found = _FIXED_BY.fullmatch(self.entries[second].fields.get("result", ""))
        stated = found.groups() if found else ("", "")
        _demand(stated[0] == digests["weights"], f"marks/weights.json is not what entry {second} fixed")
        _demand(stated[1] == digests["model"], f"marks/model.json (slots, rates) is not what entry {second} fixed")
        is_same = (self.weights["reading"], self.weights["entry"]) == (digests["reading"], first)
        _demand(is_same, "marks/weights.json is about another reading")
        return first, second

    def _opened(self) -> dict[tuple[int, str], bytes]:
        """Check every opened draw against the ledger; return the forms by entry and record."""
        opened = {}
        keys = {(k["record"], k["version"], k["epoch"]): bytes.fromhex(k["key"]) for k in self.openings["keys"]}
        for copy in self.openings["copies"]:
            entry, nonce = self.entries[copy["entry"]], bytes.fromhex(copy["nonce"])
            lines = {line[0]: line for line in _lines_of(entry)}
            for one in copy["records"]:
                record, category, version, _, committed = lines[one["record"]]
                vector = bytes.fromhex(one["vector"])
                numbers = one["table"].to_bytes(4, "big") + one["epoch"].to_bytes(4, "big")
                digest = hashlib.sha256(b"alog/v1/variant\0" + numbers + nonce + vector).hexdigest()
                place = f"marks/openings.json: entry {entry.index}, record {shown(record)}"
                _demand(len(nonce) == 32, f"{place}: a nonce has 32 bytes")
                _demand(digest == committed, f"{place}: not what the ledger committed to when the copy was served")
                _demand(one["table"] == self.model.version, f"{place}: of another slot table than the model's")
                opened[entry.index, record] = vector
                key = keys.get((record, int(version), one["epoch"]))
                if key is not None:
                    table = self.model.version, [slot[:2] for slot in self.model.table[category][: len(vector)]]
                    is_drawn = drawn_by(key, copy["account"], category, table) == vector[: len(table[1])]
                    _demand(is_drawn, f"{place}: not what the record version's key draws for this account")
        return opened

    def _judged(
        self, claim: dict[str, Any], copies: list[int], opened: dict[tuple[int, str], bytes], seed: int
    ) -> dict[str, Any] | None:
        """Compute the numbers of one account anew; None when its copies are not opened, or not all that count."""
        values, drawn, used, seen = [], [], set(), dict[Any, Any]()
        for value in self.reading["values"]:
            records, category = value["records"], value["category"]
            # A value of one item among several was first seen when that item was.
            latest = value.get("until_ms", self.weights["published_ms"])
            held = [i for i in copies if self._holds(self.entries[i], records, value["versions"], latest)]
            held = [i for i in held if not self._is_void(self.entries[i], records[0], copies)]
            vector = opened.get((held[-1], records[0])) if held else b""
            if vector is None:
                return None
            table = {slot[0]: (place, slot) for place, slot in enumerate(self.model.table[category])}
            if not held or any(table[one["slot"]][0] >= len(vector) for one in value["slots"]):
                continue  # no copy, or one from before a canary's digits were drawn
            slots, forms = [], []
            for one in value["slots"]:
                place, (name, _, kept, has_public) = table[one["slot"]]
                n, ways = int(one["forms"]), one["classes"]
                counts = seen.setdefault((records[0], name), one) is one and {*map(ways.count, range(1, n + 1))}
                _demand(counts == {len(ways) / n}, "marks/reading.json: a draw that is read twice, or unevenly")
                slots.append(Slot(name, n, kept, has_public, one["read"]))
                forms.append(int(ways[vector[place] - 1]))
            values.append(slots)
            drawn.append(forms)
            used.add(held[-1])
        read = [(s.read, form) for ss, ff in zip(values, drawn) for s, form in zip(ss, ff) if s.read is not None]
        e, draws = e_value(self.model, values, drawn), claim["draws"]
        steps = draws * sum(slot.forms for slots in values for slot in slots)
        _demand(0 <= draws <= _MAX_DRAWS and steps <= _MAX_STEPS, "marks/claims.json: too many draws")
        p = randomisation_p(self.model, values, e, seed, draws) if e > 1 else 1.0  # 1/E without draws
        agreeing = sum(slot == form for slot, form in read)
        return {"opened": len(used), "e": e, "p": p, "draws": draws, "slots": len(read), "agreeing": agreeing}

    def _holds(self, entry: Entry, records: list[str], versions: list[int], until: int | None) -> bool:
        lines = {line[0]: int(line[2]) for line in _lines_of(entry)}
        is_before = until is None or entry.unix_ms <= until
        is_copy = entry.kind == "disclose" and entry.fields.get("form") == "marked" and is_before
        return is_copy and set(records) <= set(lines) and lines[records[0]] in versions

    def _is_void(self, copy: Entry, record: str, copies: list[int]) -> bool:
        """Tell whether draws were opened before the trace, so that somebody else could have written like this copy."""
        (version,) = [line[2] for line in _lines_of(copy) if line[0] == record]
        opened = [
            (entry.index, entry.fields.get("result", "").split(" "))
            for entry in self.verdict.entries
            if entry.kind == "draws" and entry.index < self.claims["reading_entry"]
            if [record, version] in [[line[0], line[2]] for line in _lines_of(entry)]
        ]
        keys = [index for index, (what, *_) in opened if what == "keys"]
        epoch = sum(index < copy.index for index in keys)
        return any(
            what == "keys" or {str(index) for index in copies} & set(which)
            for at, (what, *which) in opened
            if sum(index < at for index in keys) == epoch
        )

    def _compare(self, claim: dict[str, Any], weight: float, numbers: dict[str, Any] | None) -> None:
        """Compare what is stated of an account with what follows; a tier may say less than its bound, never more."""
        label = shown(claim["label"])
        found = {"weight": weight, **(numbers or {})}
        found["bound"] = min(1.0, claim["p"] / weight)
        for name, value in found.items():
            if name != "opened":
                is_same = abs(claim[name] - value) <= _CLOSE * abs(value)
                _demand(is_same, f"marks/claims.json: {name} stated for {label} is not what follows: {value!r}")
        is_carried = found["bound"] <= _TIERS[claim["tier"]] * (1 + _CLOSE)
        _demand(is_carried, f"marks/claims.json: {label} is called more than its bound carries")
        if numbers:
            self.verdict.marks.append({"label": claim["label"], "tier": claim["tier"], **found})


def _lines_of(entry: Entry) -> list[list[str]]:
    return [value.split(" ") for name, value in entry.fields.items() if name.startswith("record.")]


# --- the verdict
def verify(bundle: bytes, trust: Trust | str) -> Verdict:
    """Verify a bundle (the zip's bytes, possibly hostile) by what the caller trusts: a policy, or a ledger's key alone.

    Raises BadKey if the key is not a usable one; everything else is in the verdict.
    """
    trust = Trust([parse_key(trust)]) if isinstance(trust, str) else trust
    verdict = Verdict(origin=trust.keys[0].name, key=", ".join(f"{key.name}+{key.key_id.hex()}" for key in trust.keys))
    try:
        members = read_zip(bundle)
        indexes = check_members(members)
        verdict.checked.append(f"the manifest lists exactly the {len(members) - 1} other files, unchanged")
        terms = key_terms(members, trust)
        size, root, others = open_in_time(members["checkpoint"], terms, trust)
        verdict.origin = members["checkpoint"].decode().split("\n")[0]
        verdict.cosigned = cosignatures(members["checkpoint"], trust)
        is_enough = trust.is_met_by(verdict.cosigned)
        _demand(is_enough, "not enough witnesses of your policy have cosigned the checkpoint")
        changes = check_changes(members, size, root, terms)
        stamps = check_stamps(members, size, root, terms, trust)
        history = check_history(members, size, root, terms, trust)
        dated = check_dated(members, size, root, terms, trust)
    except Rejected as exc:
        verdict.problems.append(str(exc))
        return verdict
    verdict.not_checked += stamps
    verdict.size, verdict.root = size, base64.b64encode(root).decode("ascii")
    verdict.checked.append(f"the checkpoint ({size} entries) is signed by the key you gave")
    verdict.checked += [f"witness {shown(name)} cosigned it at {_moment(at)}" for name, at in verdict.cosigned.items()]
    verdict.checked += changes
    for old, seen in history:
        told = "".join(f"; witness {shown(name)} cosigned it at {_moment(at)}" for name, at in seen.items())
        verdict.checked.append(f"the checkpoint continues that of {old} entries, which is signed too{told}")
    for index in indexes:
        try:
            leaf, proof, opening = (members[f"entries/{index}.{part}"] for part in ("leaf", "tlog-proof", "open.json"))
            check_proof(proof, leaf, members["checkpoint"], (index, size, root))
            unix_ms, kind, commitments = parse_leaf(leaf)
            fields = check_opening(opening, index, leaf, commitments)
            withheld = [name for name in commitments if name not in fields]
            standing = standing_of(index, terms, dated)
            verdict.entries.append(Entry(index, unix_ms, kind, fields, withheld, standing))
        except Rejected as exc:
            verdict.problems.append(f"entry {index}: {exc}")
    if MARKS[0] in members and not verdict.problems:
        try:
            check_marks(members, verdict)
        except Rejected as exc:
            verdict.problems.append(str(exc))
    _conclude(verdict, members, others - len(verdict.cosigned))
    return verdict


def _moment(unix_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_s)) if unix_s < _YEAR_10000 // 1000 else str(unix_s)


def _conclude(verdict: Verdict, members: dict[str, bytes], others: int) -> None:
    entries = verdict.entries
    links = check_chains(entries, verdict.problems, verdict.gaps)
    for i in range(1, len(entries)):
        if entries[i].unix_ms < entries[i - 1].unix_ms:
            verdict.problems.append(f"entry {entries[i].index}: its time is before that of an earlier entry")
    opened, withheld = sum(len(e.fields) for e in entries), sum(len(e.withheld) for e in entries)
    verdict.checked.append(f"{len(entries)} entries stand in that ledger at their indexes, as committed")
    verdict.checked.append(f"{opened} opened fields are what the ledger committed to")
    if links and not verdict.problems:
        verdict.checked.append(f"{links} links of subjects' chains agree with each other")
    bare = [str(entry.index) for entry in entries if entry.standing.endswith(_BARE)]
    if bare:
        told = f"entries {', '.join(bare[:20])}{' ...' if len(bare) > 20 else ''}"
        verdict.not_checked.append(f"{told} but by the present key: theirs was compromised later; see each")
    unsigned = ", ".join(sorted(n for n in members if _EXTRA.fullmatch(n) or n == "policy"))
    unseen = "" if verdict.cosigned else ", and that others saw the same one: give --policy with witnesses you trust"
    verdict.not_checked += [
        "that the key you gave is the ledger's: that rests on where you got it",
        f"{withheld} fields are withheld; nothing is said about what they hold",
        "entries that are not in this bundle, in particular any after the last one shown",
        "times: they are the ledger's own claim; only their order was checked",
        f"{others} further signatures on the checkpoint, of keys that you did not give{unseen}",
        "verify_bundle.py from the bundle itself: use a copy from a source you trust",
        f"unsigned files, which anyone could have written: {unsigned}",
    ]


def report(verdict: Verdict) -> str:
    """Return the verdict in words, safe for any terminal."""
    title = "VERIFIED" if verdict.verified else "REFUSED: do not rely on this bundle"
    lines = [title, f"ledger: {shown(verdict.origin)}", f"key:    {shown(verdict.key)}"]
    lines += [f"size:   {verdict.size}", f"root:   {verdict.root}"] if verdict.root else []
    listed = (("Problems", verdict.problems), ("Missing in this bundle", verdict.gaps))
    for heading, items in (*listed, ("Verified", verdict.checked), ("Not verified", verdict.not_checked)):
        lines += ["", f"{heading}:", *(f"  - {item}" for item in items)] if items else []
    for entry in verdict.entries:
        seconds = time.gmtime(min(entry.unix_ms, _YEAR_10000 - 1) // 1000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", seconds) + f".{entry.unix_ms % 1000:03d}Z"
        lines += ["", f"Entry {entry.index}  {entry.kind}  {stamp if entry.unix_ms < _YEAR_10000 else entry.unix_ms}"]
        lines += [f"  standing: {entry.standing}"] if entry.standing else []
        lines += [f"  {name}: {shown(value)}" for name, value in entry.fields.items() if value]
        blank = [name for name, value in entry.fields.items() if not value]
        lines += [f"  opened and empty: {', '.join(blank)}"] if blank else []
        lines += [f"  withheld: {', '.join(entry.withheld)}"] if entry.withheld else []
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    """Return text with everything escaped that could move a cursor, break a line or turn the writing round."""
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii") for c in text)


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Rejected(f"{what} is not UTF-8") from exc


def json_object(raw: bytes) -> dict[str, object]:
    """Parse a JSON object strictly: no name twice; numbers other than canonical whole ones become null."""
    _demand(len(raw) <= MAX_OPENING_BYTES, "the opening is too long")
    text, number = _text(raw, "the opening"), _decimal
    try:
        document = json.loads(
            text, object_pairs_hook=_unique, parse_int=number, parse_float=number, parse_constant=number
        )
    except (ValueError, RecursionError) as exc:
        raise Rejected("the opening is not JSON in strict form") from exc
    return document if isinstance(document, dict) else {}


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    _demand(len({name for name, _ in pairs}) == len(pairs), "a name stands twice")
    return dict(pairs)


def parse_policy(text: str) -> Trust:
    """Read a C2SP tlog-policy: ``log``, ``witness``, ``group`` and ``quorum`` lines; anything else is refused."""
    lines = [[word for word in line.split(" ") if word] for line in text.replace("\t", " ").split("\n")]
    is_text = len(text) <= MAX_POLICY and not any((c < " " and c not in "\t\n") or c == "\x7f" for c in text)
    _demand(is_text and len(lines) <= MAX_POLICY // 128, "the policy is too long or holds a control character")
    trust, quorums, taken = Trust([]), [], {"all", "any", "none"}
    free: set[str] = set()
    for word, *rest in (line for line in lines if line and not line[0].startswith("#")):
        is_new = len(rest) > 1 and rest[0] not in taken and not rest[0].startswith("#")
        if word == "log" and len(rest) in (1, 2):
            trust.keys.append(parse_key(rest[0]))
        elif word == "witness" and is_new and len(rest) <= 3:
            trust.witnesses[rest[0]] = parse_key(rest[1], (4, 6))
        elif word == "group" and is_new and len(set(rest[2:]) & free) == len(rest) - 2:
            needs = {"all": len(rest) - 2, "any": 1}.get(rest[1], _decimal(rest[1]) or 0)
            _demand(1 <= needs <= len(rest) - 2, "a group of the policy needs more members than it has, or none")
            trust.groups[rest[0]] = (needs, rest[2:])
            free -= set(rest[2:])
        elif word == "quorum" and len(rest) == 1 and rest[0] in taken - {"all", "any"}:
            quorums += rest
            continue
        else:
            raise Rejected("a line of the policy is malformed, or names what no line before it defines")
        if word != "log":
            free, taken = free | {rest[0]}, taken | {rest[0]}
    publics = [key.public_key for key in (*trust.keys, *trust.witnesses.values())]
    _demand(trust.keys, "the policy names no log key")
    _demand(len(set(publics)) == len(publics), "a public key stands in the policy twice")
    _demand(len(quorums) == 1, "a policy has exactly one line: quorum <name>")
    trust.quorum = quorums[0]
    return trust


def parse_until(text: str) -> tuple[str, int]:
    """Read ``KEY_ID=SIZE``: the 8 hexadecimal digits after the first plus of a verifier key, and a number."""
    key_id, _, size = text.partition("=")
    _demand(re.fullmatch(r"[0-9a-f]{8}", key_id) and _decimal(size) is not None, "--until takes KEY_ID=SIZE")
    return key_id, int(size)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Verify an evidence bundle offline.")
    parser.add_argument("bundle", type=Path, help="the bundle's zip file")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--key", help="the ledger's verifier key, from a source you trust (never the bundle)")
    source.add_argument("--policy", type=Path, help="a C2SP tlog-policy file that you trust: ledger, witnesses, quorum")
    parser.add_argument("--until", action="append", default=[], help="KEY_ID=SIZE: that key signed nothing longer")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    try:
        with options.bundle.open("rb") as file:
            bundle = file.read(MAX_BUNDLE_BYTES + 1)  # one more than is accepted, so that the rest is never read
        trust = options.key or parse_policy(options.policy.read_text("utf-8"))
        trust = Trust([parse_key(trust)]) if isinstance(trust, str) else trust
        trust.until = dict(parse_until(each) for each in options.until)
        verdict = verify(bundle, trust)
    except (OSError, ValueError) as exc:
        sys.stderr.write(f"verify_bundle: {shown(str(exc))}\n")
        return 2
    document = {"verified": verdict.verified, **asdict(verdict)}
    text = json.dumps(document, indent=1) + "\n" if options.json else report(verdict)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    return 0 if verdict.verified else 1


if __name__ == "__main__":
    sys.exit(main())
