"""Making a keyring one of another form: its files written anew, the keys in them the same."""

from __future__ import annotations

import os
from pathlib import Path

from registry.keys.key_files import open_folder, read_file, replace_file
from registry.keys.ring_folder import MANIFEST, RingContent, RingForm, changed, file_in, load_ring, put_manifest


def is_of(folder: Path, header: str) -> bool:
    """Return whether the folder holds a finished ring of this kind.

    Raises:
        KeyUnavailable: no folder, or of a wrong owner or mode.
    """
    descriptor = open_folder(folder)
    try:
        return (folder / MANIFEST).exists() and read_file(folder, descriptor, MANIFEST).startswith(
            f"{header}/".encode()
        )
    finally:
        os.close(descriptor)


def change_form(folder: Path, before: RingForm, after: RingForm) -> None:
    """Make a ring one of another form. Its files stay as they are until ``write_again``; the new form must read them.

    Raises:
        KeyUnavailable: the ring cannot be read, or the disk refuses; the ring is as it was.
    """
    with changed(folder, before) as (descriptor, content):
        put_manifest(descriptor, after, content)


def write_again(folder: Path, form: RingForm) -> RingContent:
    """Write every key file of a ring anew, each whole or not at all.

    Raises:
        KeyUnavailable: the ring cannot be read, or the disk refuses; files that were written stay.
    """
    with changed(folder, form) as (descriptor, content):
        following = () if content.following is None else (content.following,)
        for one in (*content.current.values(), *(earlier.material for earlier in content.earlier), *following):
            replace_file(descriptor, file_in(descriptor, one.purpose, one.key_id), form.render(one))
        put_manifest(descriptor, form, content)  # running processes read the ring again
    return load_ring(folder, form)
