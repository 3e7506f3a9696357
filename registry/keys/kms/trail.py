"""CloudTrail's record of AWS KMS: which keys of a registry were decrypted, and for whom.

Files as CloudTrail puts them into a bucket: an object with ``Records``. Encryption contexts stand in them in clear;
ours hold a hash (see ``context``). Times are whole seconds. The registry's own records are those with its context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from registry.domain.errors import MisconfiguredHome, UnreadableDocument
from registry.keys.kms.context import CONTEXT_FIELD, KEY_FIELD, context_digest
from registry.keys.ports import HEALTH_CONTEXT
from registry.keys.service.form import FILE_CONTEXT
from registry.keys.uses import LONGEST_FILE_BYTES, KeyLog, KeyUse, LogText, in_order
from registry.text.moments import moment_ms
from registry.text.strict_json import parse_json

# What moves wrapped bytes under another key, or the key itself into another region, whose trail is another one.
_TAKING = frozenset({"ReEncrypt", "ReplicateKey"})
_CONTEXTS = ("encryptionContext", "sourceEncryptionContext")


def read_trail(texts: Iterable[LogText], keys: frozenset[str]) -> KeyLog:
    """Read what CloudTrail's files tell of a registry's keys.

    Args:
        texts: the files; the same record twice counts once.
        keys: ARNs of the registry's keys; what was decrypted under them without our context is told too.

    Raises:
        MisconfiguredHome: a file is none of CloudTrail's.
    """
    uses: dict[str, KeyUse] = {}
    taken: dict[str, KeyUse] = {}
    first = last = 0
    for text in texts:
        for record in _records(text):
            at = moment_ms(str(record.get("eventTime", "")))
            if at is None:
                raise MisconfiguredHome(f"{text.name} holds a record without a time")
            first, last = min(first or at, at), max(last, at)
            if record.get("eventSource") != "kms.amazonaws.com" or record.get("errorCode"):
                continue
            name, event = str(record.get("eventID", "")), record.get("eventName")
            arns, mark = _arns(record), _mark(record)
            key = next((arn for arn in arns if arn in keys), arns[0] if arns else "")
            use = KeyUse(at, key, mark or str(event), _who(record))
            if event == "Decrypt" and (mark or key in keys):
                uses[name] = use
            elif event in _TAKING and (mark or key in keys):
                taken[name] = use
    return KeyLog(in_order(uses.values()), in_order(taken.values()), first, last)


class TrailMarks:
    """``UseMarks`` of CloudTrail: a hash that anybody can reckon."""

    probes = (HEALTH_CONTEXT,)
    files = (FILE_CONTEXT,)

    def of(self, context: bytes) -> str:
        """Return the hash that stands for a context; see ``UseMarks``."""
        return context_digest(context)


def _records(text: LogText) -> Iterator[Mapping[str, Any]]:
    try:
        document = parse_json(b"\n".join(text.lines), max_bytes=LONGEST_FILE_BYTES)
    except UnreadableDocument:
        document = None
    if isinstance(document, dict) and "digestStartTime" in document:
        return iter(())  # its digests lie beside the files, and vouch for them
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise MisconfiguredHome(f"{text.name} is no file of CloudTrail")
    return (record for record in records if isinstance(record, dict))


def _mark(record: Mapping[str, Any]) -> str:
    asked = record.get("requestParameters")
    contexts = [asked.get(name) for name in _CONTEXTS] if isinstance(asked, dict) else []
    ours = [one for one in contexts if isinstance(one, dict) and KEY_FIELD in one]
    return str(ours[0].get(CONTEXT_FIELD, "")) if ours else ""


def _arns(record: Mapping[str, Any]) -> list[str]:
    named = record.get("resources")
    resources = named if isinstance(named, list) else []
    return [str(one["ARN"]) for one in resources if isinstance(one, dict) and "ARN" in one]


def _who(record: Mapping[str, Any]) -> str:
    identity = record.get("userIdentity")
    arn = identity.get("arn", "") if isinstance(identity, dict) else ""
    return f"{arn} {record.get('sourceIPAddress', '')}".strip()
