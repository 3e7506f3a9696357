#!/usr/bin/env python3
"""Verify an evidence bundle of a protected-records registry, offline.

    python3 verify_bundle.py bundle.zip --key '<verifier key>'    (or --policy FILE, a C2SP tlog-policy)

Needs Python 3.8 or later and nothing else. The verifier key must come from somewhere you trust, never from the bundle.
Exit code 0: everything verified; 1: refused; 2: not run (usage, file, key). One file on purpose: it can be read in
full, kept apart, and run by someone who trusts nobody's package. Formats: docs/ledger-format.md of the project.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import time
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

MAX_BUNDLE_BYTES, MAX_OPENING_BYTES, MAX_NOTE_BYTES = 2**27, 2**24, 2**18
MAX_MEMBERS, MAX_SIGNATURES, MAX_RECORDS = 60_000, 64, 1_500
FIXED_MEMBERS = ("README.txt", "checkpoint", "manifest.sha256", "policy", "verify_bundle.py")
FIXED_FIELDS = (
    *("event", "principal", "organization", "token", "network", "subject", "counter", "previous"),
    *("purpose", "case", "note", "request", "result", "rules", "form", "detail"),
)
_CHAIN_FIELDS = ("subject", "counter", "previous")
_YEAR_10000 = 253_402_300_800_000  # in milliseconds

_ENTRY = re.compile(r"entries/(0|[1-9][0-9]{0,18})\.(leaf|open\.json|tlog-proof)")
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
    return name in FIXED_MEMBERS or bool(_ENTRY.fullmatch(name) or is_extra)


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
    return indexes


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
    _demand(eightfold[0] or eightfold[1] != eightfold[2], "a curve point is of small order")
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


def parse_key(vkey: str) -> tuple[str, bytes, bytes]:
    """Return name, key id and public key of a verifier key ``<name>+<key id>+<base64>`` (C2SP signed-note)."""
    name, _, rest = vkey.strip().partition("+")
    raw = _base64(rest[9:]) or b""
    try:
        _demand(_is_name(name) and len(raw) == 33 and raw[0] == 1, "it is not an Ed25519 verifier key")
        key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        _demand(rest[:9] == f"{key_id.hex()}+", "its id does not belong to it (copied wrong, or changed?)")
        _decoded_point(raw[1:])
    except Rejected as exc:
        raise BadKey(f"the key cannot be used: {exc}") from exc
    return name, key_id, raw[1:]


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


def open_checkpoint(note: bytes, key: tuple[str, bytes, bytes]) -> tuple[int, bytes, int]:
    """Verify the checkpoint's signature under the given key; return size, root and number of other signatures."""
    name, key_id, public_key = key
    _demand(len(note) <= MAX_NOTE_BYTES, "the checkpoint is too long")
    text, lines = signature_lines(_text(note, "the checkpoint"))
    ours = [raw[4:] for signer, raw in lines if (signer, raw[:4]) == (name, key_id)]
    _demand(len(ours) == 1, "the checkpoint is not signed (once) by the key that was given")
    is_signed = ed25519_verifies(public_key, ours[0], text.encode())
    _demand(is_signed, "the checkpoint's signature does not verify under the key that was given")
    stated = text.split("\n")
    _demand(len(stated) == 4 and stated[0] == name, "the checkpoint is of another ledger, or has more than three lines")
    size, root = _decimal(stated[1]), _base64(stated[2])
    if not size or root is None:
        raise Rejected("the checkpoint's size or root is not in canonical form")
    return size, root, len(lines) - 1


def check_proof(proof: bytes, leaf: bytes, note: bytes, place: tuple[int, int, bytes]) -> None:
    """Verify a ``.tlog-proof`` for a leaf at (index, size, root); its checkpoint is the bundle's, byte for byte."""
    index, size, root = place
    head, blank, carried = proof.partition(b"\n\n")
    lines = _text(head, "a proof").split("\n")
    if not blank or carried != note or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Rejected("the proof is malformed or holds another checkpoint")
    hashes = [_base64(line) for line in lines[2:]]
    _demand(lines[1:2] == [f"index {index}"], "the proof is of another index")
    node, position, last = hashlib.sha256(b"\x00" + leaf).digest(), index, size - 1
    _demand(position <= last, "the index is not below the size of the ledger")
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
    _demand(not last and node == root, "the inclusion proof does not lead to the signed root")


# --- leaves, openings, chains
def parse_leaf(leaf: bytes) -> tuple[int, str, dict[str, bytes]]:
    """Read a leaf: time in milliseconds, kind, and the commitment of each field by name."""
    lines = _text(leaf, "a leaf").split("\n")
    if len(lines) != 5 or lines[0] != "alog/v1" or lines[4]:
        raise Rejected("the leaf is not of version alog/v1")
    unix_ms, joined = _decimal(lines[1]), _base64(lines[3])
    records = len(joined or b"") // 32 - len(FIXED_FIELDS)
    if unix_ms is None or joined is None or not _KIND.fullmatch(lines[2]) or len(joined) % 32:
        raise Rejected("the leaf is not in canonical form")
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
            if missing < 0 or not at <= before < index or (before != at if missing == 0 else before < at + missing):
                problems.append(f"entry {index}: contradicts other entries of subject {shown(subject)}, or itself")
            elif missing:
                gaps.append(f"{missing} entries before entry {index} about subject {shown(subject)}")
            counted, at = counter, index
    return sum(len(links) for links in chains.values())


# --- the verdict
def verify(bundle: bytes, vkey: str) -> Verdict:
    """Verify a bundle (the zip's bytes, possibly hostile) under a verifier key that the caller trusts.

    Raises BadKey if the key is not a usable one; everything else is in the verdict.
    """
    key = parse_key(vkey)
    verdict = Verdict(origin=key[0], key=f"{key[0]}+{key[1].hex()}")
    try:
        members = read_zip(bundle)
        indexes = check_members(members)
        verdict.checked.append(f"the manifest lists exactly the {len(members) - 1} other files, unchanged")
        size, root, others = open_checkpoint(members["checkpoint"], key)
    except Rejected as exc:
        verdict.problems.append(str(exc))
        return verdict
    verdict.size, verdict.root = size, base64.b64encode(root).decode("ascii")
    verdict.checked.append(f"the checkpoint ({size} entries) is signed by the key you gave")
    for index in indexes:
        try:
            leaf, proof, opening = (members[f"entries/{index}.{part}"] for part in ("leaf", "tlog-proof", "open.json"))
            check_proof(proof, leaf, members["checkpoint"], (index, size, root))
            unix_ms, kind, commitments = parse_leaf(leaf)
            fields = check_opening(opening, index, leaf, commitments)
            withheld = [name for name in commitments if name not in fields]
            verdict.entries.append(Entry(index, unix_ms, kind, fields, withheld))
        except Rejected as exc:
            verdict.problems.append(f"entry {index}: {exc}")
    _conclude(verdict, members, others)
    return verdict


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
    unsigned = ", ".join(sorted(n for n in members if _EXTRA.fullmatch(n) or n == "policy"))
    verdict.not_checked += [
        "that the key you gave is the ledger's: that rests on where you got it",
        f"{withheld} fields are withheld; nothing is said about what they hold",
        "entries that are not in this bundle, in particular any after the last one shown",
        "times: they are the ledger's own claim; only their order was checked",
        f"{others} further signatures on the checkpoint (witnesses), and that others saw the same one",
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
    _demand(len({name for name, _ in pairs}) == len(pairs), "the opening has a name twice")
    return dict(pairs)


def keys_of_policy(text: str) -> list[str]:
    """Return the log keys of a C2SP tlog-policy, at least one; witnesses and quorum are not evaluated."""
    keys = [parts[1] for parts in map(str.split, text.splitlines()) if len(parts) >= 2 and parts[0] == "log"]
    _demand(keys, "the policy names no log key")
    return keys


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
        verdicts = [verify(bundle, vkey) for vkey in vkeys]
    except (OSError, ValueError) as exc:
        sys.stderr.write(f"verify_bundle: {shown(str(exc))}\n")
        return 2
    verdict = next((each for each in verdicts if each.verified), verdicts[-1])
    document = {"verified": verdict.verified, **asdict(verdict)}
    text = json.dumps(document, indent=1) + "\n" if options.json else report(verdict)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    return 0 if verdict.verified else 1


if __name__ == "__main__":
    sys.exit(main())
