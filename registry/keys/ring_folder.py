"""The folder of a keyring: one file a key, and a manifest that is written last.

The file ``keyring`` names every key of the ring: without it the ring is unfinished and was never used; with it, a
missing key is a lost key and is reported, never made anew. How a key is written into its file is the ring's own.

A purpose may have earlier keys beside its current one: they open what they wrapped, and wrap nothing. The manifest of a
ring that was rotated, one fact a line after its header::

    data: data-5d6e7f9f1c2a3b4c
    data retired 2026-11-02T09:00:00.000Z unused 2026-11-02T09:20:00.000Z: data-9f1c2a3b4c5d6e7f
    bodies: bodies-...

A key that came by rotation lies in a file named by its id, one of the first ring in a file named by its purpose.

The ledger's signing key is exchanged in two steps (``ring_signing``). A following key is announced, so that others can
learn of it, and signs nothing; when it takes over, the former one is destroyed, and a text about its term takes its
place::

    ledger next 2026-11-02T09:00:00.000Z: ledger-5d6e7f9f1c2a3b4c
    ledger retired 2026-11-03T09:00:00.000Z: ledger-9f1c2a3b4c5d6e7f        (its term is ledger-9f1c2a3b4c5d6e7f.term)
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from registry.crypto.random import random_bytes
from registry.domain.clock import Clock, iso
from registry.domain.errors import KeyUnavailable
from registry.keys.key_files import (
    FOLDER_MODE,
    KEY_BYTES,
    KeyMaterial,
    checked_lines,
    clear_unfinished,
    open_folder,
    read_file,
    replace_file,
    with_checksum,
    write_file,
)
from registry.keys.ports import LEDGER_PURPOSE, PROVIDER_PURPOSES, PURPOSES

MANIFEST = "keyring"
LOCAL_HEADER = "registry-keyring"
SEALED_HEADER = "registry-sealed-keyring"
SPLIT_HEADER = "registry-split-keyring"
KMS_HEADER = "registry-kms-keyring"
PKCS11_HEADER = "registry-pkcs11-keyring"
# What the settings call the provider of each kind of ring.
FORMS = {
    LOCAL_HEADER: "local",
    SEALED_HEADER: "openbao",
    SPLIT_HEADER: "split",
    KMS_HEADER: "aws-kms",
    PKCS11_HEADER: "pkcs11",
}
# Of a manifest: version 2 came with rotation, and knows of earlier keys; version 3 of the ledger's next and former.
_FIRST, _ROTATED, _SIGNING = "v1", "v2", "v3"
_RETIRED, _UNUSED, _NEXT = "retired", "unused", "next"
TERM_HEADER = "registry-ledger-term/v1"
_MAX_TERM_BYTES = 65_536  # two keys and four signatures, half of them of ML-DSA-44
# Which file it is, when it was written, its size.
Stamp = tuple[int, int, int]
# Key files that a change may remove: of purposes that rotate, and what was left unfinished of them.
_ROTATED_FILE = re.compile(
    rf"\.?(?:{'|'.join((*PROVIDER_PURPOSES, LEDGER_PURPOSE))})(?:-[0-9a-f]{{16}})?\.(?:key|term)(?:\.unfinished)?"
)


@dataclass(frozen=True, slots=True)
class EarlierKey:
    """A key that wraps nothing any more.

    Attributes:
        material: the key.
        retired: when another took its place, as the manifest says.
        unused: since when nothing stored is wrapped under it; empty while that is not known.
    """

    material: KeyMaterial
    retired: str
    unused: str = ""


@dataclass(frozen=True, slots=True)
class FormerKey:
    """A signing key that is destroyed.

    Attributes:
        key_id: its id.
        retired: when another took its place, as the manifest says.
        term: what it signed, in the words of whoever exchanged it.
    """

    key_id: str
    retired: str
    term: str


@dataclass(frozen=True, slots=True)
class RingContent:
    """The keys of a ring.

    Attributes:
        current: the key of each purpose that is in use.
        earlier: keys that only open what they wrapped, oldest first.
        following: the announced signing key; None for none.
        announced: when it was, as the manifest says.
        former: signing keys that are destroyed, oldest first.
        stamp: of the manifest that was read; another one means that somebody changed the ring.
    """

    current: Mapping[str, KeyMaterial]
    earlier: tuple[EarlierKey, ...] = ()
    following: KeyMaterial | None = None
    announced: str = ""
    former: tuple[FormerKey, ...] = ()
    stamp: Stamp = (0, 0, 0)

    def find(self, purpose: str, key_id: str) -> KeyMaterial | None:
        """Return a key of a purpose by its id, current or earlier; None when it is not here."""
        known = (self.current[purpose], *(one.material for one in self.earlier if one.material.purpose == purpose))
        return next((material for material in known if material.key_id == key_id), None)


class RingForm(Protocol):
    """How a ring writes its keys into files."""

    @property
    def header(self) -> str:
        """What kind of ring it is: the first line of the manifest, before the version of its form."""
        ...

    def render(self, material: KeyMaterial) -> bytes:
        """Return the text of a key's file."""
        ...

    def parse(self, content: bytes, purpose: str, name: str) -> KeyMaterial:
        """Read the text of a key's file.

        Raises:
            KeyUnavailable: damaged, for another purpose, or what the file rests on is not there.
        """
        ...


def create_ring(folder: Path, form: RingForm, clock: Clock) -> RingContent:
    """Make a new ring, or complete one whose making was interrupted, and read it back.

    Args:
        folder: the key folder; made with mode 0700, its parent must exist.
        form: how keys are written.
        clock: tells the time written into the files.

    Raises:
        KeyUnavailable: a finished ring is there already, a file is damaged, or the disk refuses.
    """
    try:
        with _locked(folder) as descriptor:
            _refuse_finished(folder, descriptor)
            keys = _complete(folder, descriptor, form, clock)
            write_file(descriptor, MANIFEST, _render_manifest(form, RingContent(keys), _FIRST))
            _sync_parent(folder)
    except OSError as error:
        raise KeyUnavailable(f"{folder} cannot be written: {error.strerror}") from None
    return load_ring(folder, form)


def load_ring(folder: Path, form: RingForm) -> RingContent:
    """Read a finished ring.

    Raises:
        KeyUnavailable: a folder or file that is missing, damaged, a link, or of a wrong mode or owner.
    """
    descriptor = open_folder(folder)
    try:
        if not _exists(descriptor, MANIFEST):
            raise KeyUnavailable(f"{folder} holds no finished keyring; run: registry init")
        return _load(folder, descriptor, form)
    finally:
        os.close(descriptor)


def rotate_ring(folder: Path, form: RingForm, purpose: str, clock: Clock) -> RingContent:
    """Make a new key of a purpose the current one; the former stays to open what it wrapped.

    The key's file is durable before the manifest names it; the manifest changes whole or not at all.

    Args:
        folder: the key folder.
        form: how keys are written.
        purpose: of whose keys; one of ``PROVIDER_PURPOSES``.
        clock: tells the time written into the files.

    Raises:
        KeyUnavailable: the ring cannot be read, or the disk refuses; the ring is as it was.
    """
    one_of(purpose, PROVIDER_PURPOSES)
    with changed(folder, form) as (descriptor, content):
        now = clock.now()
        material = KeyMaterial.of(purpose, random_bytes(KEY_BYTES), now)
        write_file(descriptor, f"{material.key_id}.key", form.render(material))
        former = EarlierKey(content.current[purpose], iso(now))
        after = replace(content, current={**content.current, purpose: material}, earlier=(*content.earlier, former))
        put_manifest(descriptor, form, after)
    return load_ring(folder, form)


def note_unused(folder: Path, form: RingForm, key_id: str, clock: Clock) -> RingContent:
    """Note that nothing stored is wrapped under an earlier key any more; the first time stays.

    Raises:
        KeyUnavailable: as ``discard_key``.
    """
    with changed(folder, form) as (descriptor, content):
        found = _earlier(folder, content, key_id)
        if not found.unused:
            noted = replace(found, unused=iso(clock.now()))
            after = replace(content, earlier=tuple(noted if one is found else one for one in content.earlier))
            put_manifest(descriptor, form, after)
    return load_ring(folder, form)


def discard_key(folder: Path, form: RingForm, key_id: str) -> RingContent:
    """Destroy an earlier key: what it wrapped opens no more, here and in every backup.

    The manifest forgets it first: a file that it does not name is never read, and is removed by the next change.

    Raises:
        KeyUnavailable: no earlier key of that id, the ring cannot be read, or the disk refuses.
    """
    with changed(folder, form) as (descriptor, content):
        found = _earlier(folder, content, key_id)
        after = replace(content, earlier=tuple(one for one in content.earlier if one is not found))
        put_manifest(descriptor, form, after)
        clear_unlisted(descriptor, after)
    return load_ring(folder, form)


def stamp_of(folder: Path, descriptor: int | None = None) -> Stamp:
    """Return what tells one manifest of a folder from another one.

    Raises:
        KeyUnavailable: there is none.
    """
    try:
        facts = os.stat(folder / MANIFEST if descriptor is None else MANIFEST, dir_fd=descriptor)
    except OSError:
        raise KeyUnavailable(f"{folder / MANIFEST} is missing; restore it from a backup") from None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def is_finished(folder: Path) -> bool:
    """Return whether the folder holds a finished ring of whatever kind."""
    return (folder / MANIFEST).exists()


def load_key(folder: Path, form: RingForm, purpose: str) -> KeyMaterial:
    """Read the current key of one purpose.

    Raises:
        KeyUnavailable: as ``load_ring``.
    """
    descriptor = open_folder(folder)
    try:
        key_id = dict(_listed(folder, descriptor, form))[(purpose,)]
        return _listed_key(folder, descriptor, form, (purpose, key_id))
    finally:
        os.close(descriptor)


def file_of(purpose: str) -> str:
    """Return the name of a purpose's file."""
    return f"{purpose}.key"


def one_of(purpose: str, allowed: tuple[str, ...]) -> str:
    """Keep a secret's purpose from opening a provider and the other way round."""
    if purpose not in allowed:
        raise ValueError(f"a purpose here is one of {', '.join(allowed)}")
    return purpose


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Make the folder if need be and hold it against a second maker."""
    with suppress(FileExistsError):
        folder.mkdir(mode=FOLDER_MODE)
    descriptor = open_folder(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_finished(folder: Path, descriptor: int) -> None:
    if _exists(descriptor, MANIFEST):
        raise KeyUnavailable(f"{folder} holds a keyring already; it is never overwritten")


def _complete(folder: Path, descriptor: int, form: RingForm, clock: Clock) -> dict[str, KeyMaterial]:
    """Keep the keys that are there and make the missing ones."""
    for name in (*map(file_of, PURPOSES), MANIFEST):
        clear_unfinished(descriptor, name)
    keys = {}
    for purpose in PURPOSES:
        if not _exists(descriptor, file_of(purpose)):
            material = KeyMaterial.of(purpose, random_bytes(KEY_BYTES), clock.now())
            write_file(descriptor, file_of(purpose), form.render(material))
        keys[purpose] = _read_key(folder, descriptor, form, purpose)
    return keys


def _read_key(folder: Path, descriptor: int, form: RingForm, purpose: str) -> KeyMaterial:
    name = file_of(purpose)
    return form.parse(read_file(folder, descriptor, name), purpose, str(folder / name))


def put_manifest(descriptor: int, form: RingForm, content: RingContent) -> None:
    """Exchange the manifest of a ring that was changed."""
    version = _SIGNING if content.following is not None or content.former else _ROTATED
    replace_file(descriptor, MANIFEST, _render_manifest(form, content, version))


def _render_manifest(form: RingForm, content: RingContent, version: str) -> bytes:
    lines = [f"{purpose}: {material.key_id}\n" for purpose, material in content.current.items()]
    lines += [f"{' '.join(_words(one))}: {one.material.key_id}\n" for one in content.earlier]
    lines += [f"{LEDGER_PURPOSE} {_RETIRED} {one.retired}: {one.key_id}\n" for one in content.former]
    if content.following is not None:
        lines.append(f"{LEDGER_PURPOSE} {_NEXT} {content.announced}: {content.following.key_id}\n")
    return with_checksum(f"{form.header}/{version}\n{''.join(lines)}")


def _listed(folder: Path, descriptor: int, form: RingForm) -> list[tuple[tuple[str, ...], str]]:
    """Read the manifest: the words before each key id, and the id."""
    path = folder / MANIFEST
    content = read_file(folder, descriptor, MANIFEST)
    kind, _, version = content.partition(b"\n")[0].decode("ascii", "replace").rpartition("/")
    if kind in FORMS and kind != form.header:
        raise KeyUnavailable(f"{folder} is the keyring of provider {FORMS[kind]}; set it under [keys] in config.toml")
    known = version if version in (_FIRST, _ROTATED, _SIGNING) else _SIGNING
    lines = [line.partition(": ") for line in checked_lines(content, f"{form.header}/{known}", str(path))]
    listed = [(tuple(words.split(" ")), key_id) for words, _, key_id in lines]
    current = [words[0] for words, _ in listed if len(words) == 1]
    if not all(_is_sound(words) for words, _ in listed) or sorted(current) != sorted(PURPOSES):
        raise KeyUnavailable(f"{path} is not a complete list of keys; restore it from a backup")
    return listed


def _words(one: EarlierKey) -> tuple[str, ...]:
    told = (one.material.purpose, _RETIRED, one.retired)
    return (*told, _UNUSED, one.unused) if one.unused else told


def _is_sound(words: tuple[str, ...]) -> bool:
    states = ((), (_RETIRED,), (_NEXT,)) if words[0] == LEDGER_PURPOSE else ((), (_RETIRED,), (_RETIRED, _UNUSED))
    return words[0] in PURPOSES and words[1::2] in states and len(words) % 2 == 1


def _earlier(folder: Path, content: RingContent, key_id: str) -> EarlierKey:
    found = next((one for one in content.earlier if one.material.key_id == key_id), None)
    if found is None:
        raise KeyUnavailable(f"{folder} holds no earlier key {key_id}")
    return found


def _load(folder: Path, descriptor: int, form: RingForm) -> RingContent:
    stamp = stamp_of(folder, descriptor)  # before it is read: a change meanwhile is seen by the next look
    content = RingContent({}, stamp=stamp)
    for words, key_id in _listed(folder, descriptor, form):
        if words[:2] == (LEDGER_PURPOSE, _RETIRED):
            former = FormerKey(key_id, words[2], _read_term(folder, descriptor, key_id))
            content = replace(content, former=(*content.former, former))
            continue
        material = _listed_key(folder, descriptor, form, (words[0], key_id))
        if len(words) == 1:
            content = replace(content, current={**content.current, words[0]: material})
        elif words[1] == _NEXT:
            content = replace(content, following=material, announced=words[2])
        else:
            content = replace(content, earlier=(*content.earlier, EarlierKey(material, *words[2::2])))
    return replace(content, current={purpose: content.current[purpose] for purpose in PURPOSES})


def _read_term(folder: Path, descriptor: int, key_id: str) -> str:
    name = f"{key_id}.term"
    content = read_file(folder, descriptor, name, _MAX_TERM_BYTES)
    return "".join(f"{line}\n" for line in checked_lines(content, TERM_HEADER, str(folder / name)))


def _listed_key(folder: Path, descriptor: int, form: RingForm, listed: tuple[str, str]) -> KeyMaterial:
    """Read a key that the manifest lists, given as purpose and id."""
    purpose, key_id = listed
    name = file_in(descriptor, purpose, key_id)
    material = form.parse(read_file(folder, descriptor, name), purpose, str(folder / name))
    if material.key_id != key_id:
        raise KeyUnavailable(f"{folder / name} is not the key that {MANIFEST} lists")
    return material


@contextmanager
def changed(folder: Path, form: RingForm) -> Iterator[tuple[int, RingContent]]:
    """Hold a finished ring for a change, by its folder's descriptor; what an interrupted one left is removed first."""
    try:
        with _locked(folder) as descriptor:
            content = _load(folder, descriptor, form)
            clear_unlisted(descriptor, content)
            yield descriptor, content
    except OSError as error:
        raise KeyUnavailable(f"{folder} cannot be written: {error.strerror}") from None


def clear_unlisted(descriptor: int, content: RingContent) -> None:
    """Remove key files that the manifest does not name: keys of an interrupted rotation, and discarded ones."""
    clear_unfinished(descriptor, MANIFEST)
    following = () if content.following is None else (content.following,)
    materials = (*content.current.values(), *(one.material for one in content.earlier), *following)
    # Of a purpose's first key the file has the purpose's name.
    names = {file_in(descriptor, one.purpose, one.key_id) for one in materials}
    names |= {f"{one.key_id}.term" for one in content.former}
    for name in os.listdir(descriptor):
        if _ROTATED_FILE.fullmatch(name) and name not in names:
            os.unlink(name, dir_fd=descriptor)
    os.fsync(descriptor)


def file_in(descriptor: int, purpose: str, key_id: str) -> str:
    """Return the name of a key's file in a folder."""
    return f"{key_id}.key" if _exists(descriptor, f"{key_id}.key") else file_of(purpose)


def _exists(descriptor: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _sync_parent(folder: Path) -> None:
    """Make the folder's own name durable."""
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
