"""The encryption context of AWS KMS: what binds wrapped bytes, and what CloudTrail shows of them."""

from __future__ import annotations

import hashlib

from registry.keys.service.ports import Binding

KEY_FIELD, CONTEXT_FIELD = "registry-key", "registry-context"
_CONTEXT = b"registry/kms/v1\0"


def encryption_context(binding: Binding) -> dict[str, str]:
    """Return the context that KMS demands again to decrypt: the ring's key id, and a hash of what is bound."""
    return {KEY_FIELD: binding.key_id, CONTEXT_FIELD: context_digest(binding.context)}


def context_digest(context: bytes) -> str:
    """Return the hash that stands in CloudTrail for what is bound: no id of a person stands there."""
    return hashlib.sha256(_CONTEXT + context).hexdigest()
