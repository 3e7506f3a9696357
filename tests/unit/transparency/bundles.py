"""Tampering with bundles so that everything but the tampering is in order."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from registry.transparency.offline.verify_bundle import read_zip, write_zip
from tests.unit.transparency.support import example_bundle

Members = dict[str, bytes]


def sealed_anew(members: Members) -> bytes:
    """Return a bundle of these members with a manifest that is right for them."""
    others = {name: data for name, data in members.items() if name != "manifest.sha256"}
    lines = [f"{sha256(others[name]).hexdigest()}  {name}\n" for name in sorted(others)]
    return write_zip({**others, "manifest.sha256": "".join(lines).encode()})


def bundle_with(changes: dict[str, bytes | None]) -> bytes:
    """Return the example bundle with members replaced, added or (None) taken away."""
    members = {**read_zip(example_bundle()), **changes}
    return sealed_anew({name: data for name, data in members.items() if data is not None})


def opening_with(entry: int, /, **changes: Any) -> bytes:
    """Return the example bundle with parts of one entry's opening replaced; fields are given as ``fields={...}``."""
    name = f"entries/{entry}.open.json"
    document = json.loads(read_zip(example_bundle())[name])
    document["fields"].update(changes.pop("fields", {}))
    document.update(changes)
    return bundle_with({name: (json.dumps(document, indent=1) + "\n").encode()})
