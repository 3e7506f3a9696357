#!/usr/bin/env python3
"""Verify an evidence bundle of a protected-records registry, offline.

    python3 verify_bundle.py bundle.zip --key '<verifier key>'    (or --policy FILE, a C2SP tlog-policy)

Needs Python 3.8 or later and nothing else: no package, no network. The verifier key must come from somewhere you
trust, never from the bundle. Exit code 0: everything verified; 1: refused; 2: not run (usage, file, key).

This is one file on purpose: it can be read in full, kept apart, and run by someone who trusts nobody's package.
Formats: docs/ledger-format.md of the project; RFC 8032, RFC 9162; C2SP signed-note, tlog-checkpoint, tlog-proof.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import struct
import sys
import time
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

MAX_BUNDLE_BYTES = 128 * 1024 * 1024
MAX_MEMBERS = 60_000  # below the 65,535 of a plain zip
MAX_LEAF_BYTES = 65_535
MAX_NOTE_BYTES = 262_144
MAX_SIGNATURES = 64
MAX_PROOF_HASHES = 63
MAX_OPENING_BYTES = 16 * 1024 * 1024
FIXED_MEMBERS = ("README.txt", "checkpoint", "manifest.sha256", "policy", "verify_bundle.py")
ENTRY_PARTS = ("leaf", "open.json", "tlog-proof")
FIXED_FIELDS = (
    *("event", "principal", "organization", "token", "network", "subject", "counter", "previous"),
    *("purpose", "case", "note", "request", "result", "rules", "form", "detail"),
)
MAX_RECORDS = 1_500

_ENTRY = re.compile(r"entries/(0|[1-9][0-9]{0,18})\.(leaf|open\.json|tlog-proof)", re.ASCII)
_EXTRA = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}\.(json|pdf|txt|csv|md)", re.ASCII)
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\.", re.IGNORECASE)  # names that Windows does not keep
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z-]{0,31}", re.ASCII)
_SALT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)
_NO_PREVIOUS = "-"


class Rejected(Exception):
    """A check failed; the text says which, and holds nothing from the bundle that is not escaped."""


class BadKey(ValueError):
    """The verifier key that was given is not one."""


@dataclass
class Entry:
    """One verified entry: where, when (as the ledger claims) and what kind, and what was opened of it."""

    index: int
    unix_ms: int
    kind: str
    fields: dict[str, str]
    withheld: list[str]


@dataclass
class Verdict:
    """The outcome. ``problems`` is empty exactly when everything verified.

    ``gaps`` names entries about an opened subject that the bundle leaves out: allowed, but the reader must know.
    """

    origin: str = ""
    key: str = ""
    size: int = 0
    root: str = ""
    problems: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Tell whether every check passed."""
        return not self.problems


class Key(NamedTuple):
    """A parsed Ed25519 verifier key."""

    name: str
    key_id: bytes
    public_key: bytes


class Checkpoint(NamedTuple):
    """A checkpoint whose signature verified."""

    size: int
    root: bytes
    others: int  # signature lines of keys that were not given


# --- the container: a stored zip with exactly one byte form -------------------------------------------------------


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
    listing = b"".join(directory)
    count = len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(listing), offset, 0)
    return b"".join([*body, listing, b"PK\x05\x06", end])


def read_zip(bundle: bytes) -> dict[str, bytes]:
    """Return a bundle's members by name.

    The members are read one after the other and the zip is then written anew: anything but the very same bytes is
    refused. So there is no compression, comment, link, second directory or hidden data on which two programs could
    disagree, and no member outside the names that a bundle has.
    """
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise Rejected("the bundle is larger than 128 MiB")
    members: dict[str, bytes] = {}
    at = 0
    while bundle[at : at + 4] == b"PK\x03\x04" and len(bundle) >= at + 30 and len(members) < MAX_MEMBERS:
        size, length = struct.unpack_from("<I", bundle, at + 22)[0], struct.unpack_from("<H", bundle, at + 26)[0]
        name = bundle[at + 30 : at + 30 + length].decode("ascii", "replace")
        if not _allowed(name) or name in members:
            raise Rejected("the zip has a member that a bundle does not have, or one twice")
        members[name] = bundle[at + 30 + length : at + 30 + length + size]
        at += 30 + length + size
    if write_zip(members) != bundle:
        raise Rejected("the file is not a bundle in its one canonical form (was it packed again or changed?)")
    return members


def _allowed(name: str) -> bool:
    if name in FIXED_MEMBERS or _ENTRY.fullmatch(name):
        return True
    clash = name.lower() in {fixed.lower() for fixed in FIXED_MEMBERS}
    return bool(_EXTRA.fullmatch(name)) and not _DEVICE.match(name) and not clash


def check_members(members: dict[str, bytes]) -> list[int]:
    """Check the manifest and that each entry is complete; return the entries' indexes in order."""
    lines = [f"{hashlib.sha256(members[n]).hexdigest()}  {n}\n" for n in sorted(members) if n != "manifest.sha256"]
    if members.get("manifest.sha256") != "".join(lines).encode("ascii"):
        raise Rejected("the manifest does not list exactly the other files with their SHA-256")
    lowered = [name.lower() for name in members]
    if any(name not in members for name in FIXED_MEMBERS) or len(set(lowered)) != len(lowered):
        raise Rejected("the bundle lacks a file or has two names that differ only in case")
    matches = [match for match in map(_ENTRY.fullmatch, members) if match]
    indexes = sorted({int(match.group(1)) for match in matches})
    if not indexes or len(matches) != len(ENTRY_PARTS) * len(indexes):
        raise Rejected("the bundle has no entries, or an entry lacks its leaf, proof or opening")
    return indexes


# --- Ed25519 (RFC 8032 section 5.1), verification only ------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


class _Point(NamedTuple):
    """A curve point in extended coordinates (section 5.1.4)."""

    x: int
    y: int
    z: int
    t: int


def _decoded_point(encoded: bytes) -> _Point:
    """Decode a point (section 5.1.3); other spellings of the same point are refused."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != 32 or y >= _P:
        raise Rejected("a curve point is not in canonical form")
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        raise Rejected("a curve point is not on the curve")
    if x & 1 != sign:
        x = _P - x
    return _Point(x, y, 1, x * y % _P)


def _added(p: _Point, q: _Point) -> _Point:
    """Add two points (section 5.1.4); the formula is complete and so doubles as well."""
    a = (p.y - p.x) * (q.y - q.x) % _P
    b = (p.y + p.x) * (q.y + q.x) % _P
    c = 2 * p.t * q.t * _D % _P
    d = 2 * p.z * q.z % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return _Point(e * f % _P, g * h % _P, f * g % _P, e * h % _P)


_BASE = _decoded_point(bytes([0x58]) + bytes([0x66]) * 31)


def _usable_key(public_key: bytes) -> _Point:
    """Decode a key; one of small order is refused, since signatures verify under it that nobody made."""
    key = point = _decoded_point(public_key)
    for _ in range(3):
        point = _added(point, point)
    if point.x == 0 and point.y == point.z:
        raise Rejected("the key is of small order")
    return key


def ed25519_verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature is good: [S]B = R + [k]A, S below the group order, all encodings canonical."""
    s = int.from_bytes(signature[32:], "little")
    try:
        key = _usable_key(public_key)
    except Rejected:
        return False
    if len(signature) != 64 or s >= _L:  # a larger S would be a second signature over the same message
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _L
    negative = _Point(_P - key.x, key.y, 1, _P - key.t)
    choices = (_BASE, negative, _added(_BASE, negative))
    total = _Point(0, 1, 1, 0)
    for bit in range(252, -1, -1):
        total = _added(total, total)
        choice = (s >> bit & 1) + 2 * (k >> bit & 1)
        total = _added(total, choices[choice - 1]) if choice else total
    inverse = pow(total.z, _P - 2, _P)
    x, y = total.x * inverse % _P, total.y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# --- signed notes, checkpoints and proofs -------------------------------------------------------------------------


def _base64(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return raw if base64.b64encode(raw).decode("ascii") == text else None


def _decimal(text: str) -> int | None:
    number = int(text) if _DECIMAL.fullmatch(text) else 2**63
    return number if number < 2**63 else None


def _is_name(name: str) -> bool:
    return bool(name) and not any(c.isspace() or c < " " or c == "+" or "\ud800" <= c <= "\udfff" for c in name)


def parse_key(vkey: str) -> Key:
    """Read a verifier key ``<name>+<key id>+<base64>`` (C2SP signed-note, Ed25519 only)."""
    parts = vkey.strip().split("+", 2)
    raw = _base64(parts[2]) if len(parts) == 3 else None
    if raw is None or not _is_name(parts[0]) or len(raw) != 33 or raw[0] != 1:
        raise BadKey("the key is not an Ed25519 verifier key")
    digest = hashlib.sha256(parts[0].encode() + b"\n" + raw).digest()
    if digest[:4].hex() != parts[1]:
        raise BadKey("the key's id does not belong to it: it was copied wrong or changed")
    try:
        _usable_key(raw[1:])
    except Rejected as exc:
        raise BadKey(f"the key cannot be used: {exc}") from exc
    return Key(parts[0], digest[:4], raw[1:])


def signature_lines(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a note into its text and (key name, key id and signature) of each line, unverified."""
    text, blank, signatures = note.rpartition("\n\n")
    if len(note) > MAX_NOTE_BYTES or any(c < " " and c != "\n" for c in note):
        raise Rejected("the checkpoint is too long or holds a control character")
    if not blank or not signatures.endswith("\n"):
        raise Rejected("the checkpoint has no signature or no final line end")
    lines: list[tuple[str, bytes]] = []
    for line in signatures[:-1].split("\n"):
        parts = line.split(" ")
        raw = _base64(parts[2]) if len(parts) == 3 and parts[0] == "\u2014" and _is_name(parts[1]) else None
        if raw is None or len(raw) <= 4 or len(lines) == MAX_SIGNATURES:
            raise Rejected("a signature line of the checkpoint is malformed")
        lines.append((parts[1], raw))
    return text + "\n", lines


def open_checkpoint(note: bytes, key: Key) -> Checkpoint:
    """Verify the checkpoint's signature under the given key and read its three lines."""
    text, lines = signature_lines(_text(note, "the checkpoint"))
    ours = [raw[4:] for name, raw in lines if (name, raw[:4]) == (key.name, key.key_id)]
    if len(ours) != 1:
        raise Rejected("the checkpoint is not signed (once) by the key that was given")
    if not ed25519_verifies(key.public_key, ours[0], text.encode()):
        raise Rejected("the checkpoint's signature does not verify under the key that was given")
    stated = text.split("\n")
    if len(stated) != 4 or stated[0] != key.name:
        raise Rejected("the checkpoint is of another ledger, or has more than three lines")
    size, root = _decimal(stated[1]), _base64(stated[2])
    if not size or root is None or len(root) != 32:
        raise Rejected("the checkpoint's size or root is not in canonical form")
    return Checkpoint(size, root, len(lines) - 1)


def check_proof(proof: bytes, index: int, leaf: bytes, checkpoint: tuple[bytes, Checkpoint]) -> None:
    """Verify a ``.tlog-proof`` for one leaf; it must hold the bundle's own checkpoint, byte for byte."""
    note, opened = checkpoint
    head, blank, carried = proof.partition(b"\n\n")
    lines = _text(head, "a proof").split("\n")
    if not blank or carried != note or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Rejected("the proof is malformed or holds another checkpoint")
    hashes = [_base64(line) for line in lines[2:]]
    if lines[1:2] != [f"index {index}"] or len(hashes) > MAX_PROOF_HASHES:
        raise Rejected("the proof is of another index, or too long")
    node, position, last = hashlib.sha256(b"\x00" + leaf).digest(), index, opened.size - 1
    if position > last:
        raise Rejected("the index is not below the size of the ledger")
    for sibling in hashes:  # RFC 9162 section 2.1.3.2
        if sibling is None or len(sibling) != 32 or last == 0:
            raise Rejected("the inclusion proof is malformed or too long")
        if position & 1 or position == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        position, last = position >> 1, last >> 1
    if last or node != opened.root:
        raise Rejected("the inclusion proof does not lead to the signed root")


# --- leaves, openings, chains -------------------------------------------------------------------------------------


def parse_leaf(leaf: bytes) -> tuple[int, str, dict[str, bytes]]:
    """Read a leaf: time in milliseconds, kind, and the commitment of each field by name."""
    lines = _text(leaf, "a leaf").split("\n")
    if len(leaf) > MAX_LEAF_BYTES or len(lines) != 5 or lines[0] != "alog/v1" or lines[4]:
        raise Rejected("the leaf is not of version alog/v1")
    unix_ms, joined = _decimal(lines[1]), _base64(lines[3])
    records = len(joined or b"") // 32 - len(FIXED_FIELDS)
    if unix_ms is None or joined is None or not _KIND.fullmatch(lines[2]) or len(joined) % 32:
        raise Rejected("the leaf is not in canonical form")
    if not 0 <= records <= MAX_RECORDS:
        raise Rejected("the leaf's number of commitments fits no field list")
    names = [*FIXED_FIELDS, *(f"record.{number}" for number in range(records))]
    return unix_ms, lines[2], {name: joined[32 * i : 32 * i + 32] for i, name in enumerate(names)}


def check_opening(opening: bytes, index: int, leaf: bytes, commitments: dict[str, bytes]) -> dict[str, str]:
    """Check every opened field against its commitment; return the values (text, or ``hex:`` and digits)."""
    document = json_object(opening)
    fields = document.get("fields")
    if not isinstance(fields, dict) or set(document) != {"index", "leaf_sha256", "fields"}:
        raise Rejected("the opening is malformed")
    if type(document["index"]) is not int or document["index"] != index:
        raise Rejected("the opening is of another index")
    if document["leaf_sha256"] != hashlib.sha256(leaf).hexdigest():
        raise Rejected("the opening is of another leaf")
    values = {}
    for name, opened in fields.items():
        if name not in commitments:
            raise Rejected("the opening names a field that the leaf does not have")
        salt, value, shown = opened_field(opened)
        raw = name.encode()
        digest = hashlib.sha256(b"alog/v1/c\0" + salt + bytes([len(raw)]) + raw + value).digest()
        if digest != commitments[name]:
            raise Rejected(f"field {name}: the opened value is not what the ledger committed to")
        values[name] = shown
    return values


def opened_field(opened: object) -> tuple[bytes, bytes, str]:
    """Return salt, value bytes and the value to show. Each value has one spelling: hex only if it is not UTF-8."""
    parts = opened if isinstance(opened, dict) else {}
    salt, text, digits = parts.get("salt"), parts.get("value"), parts.get("hex")
    if not isinstance(salt, str) or not _SALT.fullmatch(salt) or len(parts) != 2:
        raise Rejected("an opened field is malformed")
    try:
        if isinstance(text, str):
            return bytes.fromhex(salt), text.encode(), text
        if isinstance(digits, str) and _HEX.fullmatch(digits):
            bytes.fromhex(digits).decode()
    except UnicodeEncodeError as exc:
        raise Rejected("an opened field holds a lone surrogate") from exc
    except UnicodeDecodeError:
        return bytes.fromhex(salt), bytes.fromhex(str(digits)), f"hex:{digits}"
    raise Rejected("an opened field is malformed")


def check_chains(entries: list[Entry]) -> tuple[list[str], list[str], int]:
    """Follow each opened subject through its counters; return contradictions, gaps, and how many links there are."""
    chains: dict[str, list[tuple[int, int, int]]] = {}
    problems: list[str] = []
    for entry in entries:
        if not all(name in entry.fields for name in ("subject", "counter", "previous")):
            continue
        columns = [entry.fields[name].split(" ") for name in ("subject", "counter", "previous")]
        if columns == [[""], [""], [""]]:
            continue
        if len({len(column) for column in columns}) != 1 or len(set(columns[0])) != len(columns[0]):
            problems.append(f"entry {entry.index}: subjects, counters and previous indexes do not pair up")
            continue
        for i, subject in enumerate(columns[0]):
            counter = _decimal(columns[1][i]) or 0
            previous = -1 if columns[2][i] == _NO_PREVIOUS else _decimal(columns[2][i])
            if not counter or previous is None or (previous < 0) != (counter == 1) or previous >= entry.index:
                problems.append(f"entry {entry.index}: its place in the subject's chain contradicts itself")
            else:
                chains.setdefault(subject, []).append((counter, entry.index, previous))
    gaps: list[str] = []
    for subject, links in sorted(chains.items()):
        _follow(shown(subject), sorted(links), problems, gaps)
    return problems, gaps, sum(len(links) for links in chains.values())


def _follow(subject: str, links: list[tuple[int, int, int]], problems: list[str], gaps: list[str]) -> None:
    before, at = 0, -1
    for counter, index, previous in links:
        missing = counter - before - 1
        if missing < 0 or index <= at or (previous != at if missing == 0 else previous < at + missing):
            problems.append(f"subject {subject}: entry {index} contradicts the subject's other entries")
        elif missing:
            gaps.append(f"subject {subject}: {missing} entries before entry {index} are not in this bundle")
        before, at = counter, index


# --- the verdict --------------------------------------------------------------------------------------------------


def verify(bundle: bytes, vkey: str) -> Verdict:
    """Verify a bundle under a verifier key that the caller trusts.

    Args:
        bundle: the zip file's bytes; they may be hostile.
        vkey: ``<origin>+<key id>+<base64>``.

    Raises:
        BadKey: the key is not a usable verifier key.
    """
    key = parse_key(vkey)
    verdict = Verdict(origin=key.name, key=f"{key.name}+{key.key_id.hex()}")
    try:
        members = read_zip(bundle)
        indexes = check_members(members)
        verdict.checked.append(f"the manifest lists exactly the {len(members) - 1} other files, unchanged")
        checkpoint = open_checkpoint(members["checkpoint"], key)
    except Rejected as exc:
        verdict.problems.append(str(exc))
        return verdict
    verdict.size, verdict.root = checkpoint.size, base64.b64encode(checkpoint.root).decode("ascii")
    verdict.checked.append(f"the checkpoint ({checkpoint.size} entries) is signed by the key you gave")
    for index in indexes:
        try:
            verdict.entries.append(_entry(members, index, checkpoint))
        except Rejected as exc:
            verdict.problems.append(f"entry {index}: {exc}")
    _conclude(verdict, members, checkpoint)
    return verdict


def _entry(members: dict[str, bytes], index: int, checkpoint: Checkpoint) -> Entry:
    leaf = members[f"entries/{index}.leaf"]
    check_proof(members[f"entries/{index}.tlog-proof"], index, leaf, (members["checkpoint"], checkpoint))
    unix_ms, kind, commitments = parse_leaf(leaf)
    fields = check_opening(members[f"entries/{index}.open.json"], index, leaf, commitments)
    return Entry(index, unix_ms, kind, fields, [name for name in commitments if name not in fields])


def _conclude(verdict: Verdict, members: dict[str, bytes], checkpoint: Checkpoint) -> None:
    entries = verdict.entries
    problems, verdict.gaps, links = check_chains(entries)
    verdict.problems += problems
    for i in range(1, len(entries)):
        if entries[i].unix_ms < entries[i - 1].unix_ms:
            verdict.problems.append(f"entry {entries[i].index}: its time is before that of an earlier entry")
    opened, withheld = sum(len(e.fields) for e in entries), sum(len(e.withheld) for e in entries)
    verdict.checked.append(f"{len(entries)} entries stand in that ledger at their indexes, as committed")
    verdict.checked.append(f"{opened} opened fields are what the ledger committed to")
    if links and not problems:
        verdict.checked.append(f"{links} links of subjects' chains agree with each other")
    unsigned = ", ".join(sorted(n for n in members if _EXTRA.fullmatch(n) or n == "policy"))
    verdict.not_checked += [
        "that the key you gave is the ledger's: that rests on where you got it",
        f"{withheld} fields are withheld; nothing is said about what they hold",
        "entries that are not in this bundle, in particular any after the last one shown",
        "times: they are the ledger's own claim; only their order was checked",
        f"{checkpoint.others} further signatures on the checkpoint (witnesses), and that others saw the same one",
        "verify_bundle.py from the bundle itself: use a copy from a source you trust",
        f"unsigned files, which anyone could have written: {unsigned}",
    ]


def report(verdict: Verdict) -> str:
    """Return the verdict in words, safe for any terminal."""
    title = "VERIFIED" if verdict.verified else "REFUSED: do not rely on this bundle"
    lines = [title, f"ledger: {shown(verdict.origin)}", f"key:    {shown(verdict.key)}"]
    if verdict.root:
        lines += [f"size:   {verdict.size}", f"root:   {verdict.root}"]
    listed = (("Problems", verdict.problems), ("Missing from the shown chains", verdict.gaps))
    for heading, items in (*listed, ("Verified", verdict.checked), ("Not verified", verdict.not_checked)):
        lines += ["", f"{heading}:", *(f"  - {item}" for item in items)] if items else []
    for entry in verdict.entries:
        stamp = _stamp(entry.unix_ms)
        lines += ["", f"Entry {entry.index}  {entry.kind}  {stamp}"]
        lines += [f"  {name}: {shown(value)}" for name, value in entry.fields.items() if value]
        blank = [name for name, value in entry.fields.items() if not value]
        lines += [f"  opened and empty: {', '.join(blank)}"] if blank else []
        lines += [f"  withheld: {', '.join(entry.withheld)}"] if entry.withheld else []
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    """Return text with everything escaped that could move a cursor, break a line or turn the writing round."""
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii") for c in text)


def _stamp(unix_ms: int) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_ms // 1000)) + f".{unix_ms % 1000:03d}Z"
    except (ValueError, OverflowError, OSError):  # beyond the platform's calendar
        return f"{unix_ms} ms"


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Rejected(f"{what} is not UTF-8") from exc


def json_object(raw: bytes) -> dict[str, object]:
    """Parse a JSON object; a name that stands twice, a fraction, NaN or deep nesting is refused."""
    if len(raw) > MAX_OPENING_BYTES:
        raise Rejected("the opening is too long")
    try:
        document = json.loads(
            _text(raw, "the opening"),
            object_pairs_hook=_unique,
            parse_float=_refused,
            parse_constant=_refused,
            parse_int=_decimal,
        )
    except (ValueError, RecursionError) as exc:
        raise Rejected("the opening is not JSON in strict form") from exc
    return document if isinstance(document, dict) else {}


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _refused(number: str) -> NoReturn:
    raise ValueError(number)


def keys_of_policy(text: str) -> list[str]:
    """Return the log keys of a C2SP tlog-policy; witnesses and quorum are not evaluated."""
    lines = [line.split() for line in text.splitlines()]
    return [parts[1] for parts in lines if len(parts) >= 2 and parts[0] == "log"]


def _chosen_verdict(bundle: bytes, vkeys: list[str]) -> Verdict:
    """Verify under the first key that fits; with none, the last key's verdict says why."""
    if not vkeys:
        raise BadKey("the policy names no log key")
    verdicts = (verify(bundle, vkey) for vkey in vkeys)
    last = None
    for last in verdicts:
        if last.verified:
            break
    return last or Verdict(problems=["nothing was verified"])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Verify an evidence bundle offline.")
    parser.add_argument("bundle", type=Path, help="the bundle's zip file")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--key", help="the ledger's verifier key, from a source you trust (never the bundle)")
    source.add_argument("--policy", type=Path, help="a C2SP tlog-policy file that you trust; its log keys are used")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    try:
        with options.bundle.open("rb") as file:
            bundle = file.read(MAX_BUNDLE_BYTES + 1)  # one more than is accepted, so that the rest is never read
        vkeys = [options.key] if options.key else keys_of_policy(options.policy.read_text("utf-8"))
        verdict = _chosen_verdict(bundle, vkeys)
    except (OSError, ValueError) as exc:
        sys.stderr.write(f"verify_bundle: {shown(str(exc))}\n")
        return 2
    text = report(verdict)
    if options.json:
        text = json.dumps({"verified": verdict.verified, **asdict(verdict)}, indent=1) + "\n"
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "ascii", "backslashreplace"))
    return 0 if verdict.verified else 1


if __name__ == "__main__":
    sys.exit(main())
