"""What runs without this package: the bundle verifier, one file that is also put into every bundle."""

from __future__ import annotations

from importlib.resources import files


def verifier_source() -> bytes:
    """Return the verifier's source, as part of this package."""
    return files(__package__).joinpath("verify_bundle.py").read_bytes()
