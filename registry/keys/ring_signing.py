"""Exchanging the ledger's signing key in the folder of a keyring; ``ring_folder`` says how it is written there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from registry.crypto.random import random_bytes
from registry.domain.clock import Clock, iso
from registry.domain.errors import KeyUnavailable
from registry.keys.key_files import KEY_BYTES, KeyMaterial, with_checksum, write_file
from registry.keys.ports import LEDGER_PURPOSE
from registry.keys.ring_folder import (
    TERM_HEADER,
    FormerKey,
    RingContent,
    RingForm,
    changed,
    clear_unlisted,
    load_ring,
    put_manifest,
)


def announce_signing(folder: Path, form: RingForm, clock: Clock, *, anew: bool = False) -> RingContent:
    """Make the signing key that is to follow; one that was made stays, unless another is wanted in its place.

    Args:
        folder: the key folder.
        form: how keys are written.
        clock: tells the time written into the files.
        anew: destroy the one that was made: whoever saw the folder has it.

    Raises:
        KeyUnavailable: the ring cannot be read, or the disk refuses; the ring is as it was.
    """
    with changed(folder, form) as (descriptor, content):
        if content.following is None or anew:
            now = clock.now()
            material = KeyMaterial.of(LEDGER_PURPOSE, random_bytes(KEY_BYTES), now)
            write_file(descriptor, f"{material.key_id}.key", form.render(material))
            after = replace(content, following=material, announced=iso(now))
            put_manifest(descriptor, form, after)
            clear_unlisted(descriptor, after)
    return load_ring(folder, form)


def exchange_signing(folder: Path, form: RingForm, following: str, term: str, clock: Clock) -> RingContent:
    """Let the announced signing key take over, and destroy the former. Done by another process: nothing is changed.

    Args:
        folder: the key folder.
        form: how keys are written.
        following: id of the key that takes over.
        term: what is to be known of the former one; lines, each with its line end.
        clock: tells the time written into the manifest.

    Raises:
        KeyUnavailable: no such key was announced, the ring cannot be read, or the disk refuses.
    """
    with changed(folder, form) as (descriptor, content):
        if content.current[LEDGER_PURPOSE].key_id == following:
            return content
        if content.following is None or content.following.key_id != following:
            raise KeyUnavailable(f"{folder} holds no announced key {following}")
        former = FormerKey(content.current[LEDGER_PURPOSE].key_id, iso(clock.now()), term)
        write_file(descriptor, f"{former.key_id}.term", with_checksum(f"{TERM_HEADER}\n{term}"))
        after = replace(
            content,
            current={**content.current, LEDGER_PURPOSE: content.following},
            following=None,
            former=(*content.former, former),
        )
        put_manifest(descriptor, form, after)
        clear_unlisted(descriptor, after)
    return load_ring(folder, form)
