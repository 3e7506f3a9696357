"""OpenBao's audit log: which keys of a registry it unwrapped, and for whom.

One JSON object a line, a request and its response with the same id. Texts in them are HMACs under a key that the audit
device alone has; who may ask ``sys/audit-hash`` gets the HMAC of a text of their own, and can so find it in the log.

In a batch of which some keys did not open OpenBao hides which: all of them are counted. A request without a response
is counted too: what became of it is not known.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from registry.domain.errors import KeyUnavailable, MisconfiguredHome, UnreadableDocument
from registry.keys.causes import FAILED, FORBIDDEN
from registry.keys.openbao.keyring import file_context
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.openbao.transit import bound_context
from registry.keys.openbao.wire import Wire
from registry.keys.ports import HEALTH_CONTEXT, PROVIDER_PURPOSES, SECRET_PURPOSES
from registry.keys.uses import KeyLog, KeyUse, LogText, in_order
from registry.text.moments import moment_ms
from registry.text.strict_json import parse_json

_LONGEST_LINE_BYTES = 4 << 20
_OK = 200
_TAKING = ("export", "byok-export", "backup")
_FINEST = 6  # digits of a second; OpenBao writes nine


def read_log(texts: Iterable[LogText], settings: KeyServiceSettings) -> KeyLog:
    """Read what an audit log tells of a registry's keys.

    Args:
        texts: its files, in any order; the same line twice counts once.
        settings: name the registry's keys.

    Raises:
        MisconfiguredHome: a line is no line of an audit log; the last one may be half written.
    """
    found: dict[str, tuple[bool, tuple[KeyUse, ...]]] = {}
    refused: set[str] = set()
    first = last = 0
    for text in texts:
        for number, raw in enumerate(text.lines, start=1):
            if number == len(text.lines) and not text.is_whole:
                continue
            line = _line(raw, f"{text.name}:{number}")
            at = _moment(line, f"{text.name}:{number}")
            first, last = min(first or at, at), max(last, at)
            request, name = _request(line)
            if line.get("error") and line.get("type") == "response":
                refused.add(name)
            elif (told := _told(request, line, at, settings)) is not None:
                found[name] = told
    kept = [told for name, told in found.items() if name not in refused]
    uses = in_order(use for is_taken, some in kept if not is_taken for use in some)
    taken = in_order(use for is_taken, some in kept if is_taken for use in some)
    return KeyLog(uses, taken, first, last)


class AuditHash:
    """``UseMarks`` of OpenBao: asks the audit device itself, as an auditor and not as the registry."""

    probes = (HEALTH_CONTEXT,)
    files = tuple(file_context(purpose) for purpose in (*PROVIDER_PURPOSES, *SECRET_PURPOSES))

    def __init__(self, settings: KeyServiceSettings, device: str, token: str) -> None:
        """Take where the service is, the audit device's path, and a token that may ask ``sys/audit-hash`` of it."""
        self._wire = Wire(settings)
        self._path = f"sys/audit-hash/{device}"
        self._token = token

    def of(self, context: bytes) -> str:
        """Return the HMAC that stands for a context; see ``UseMarks``."""
        text = base64.b64encode(bound_context(context)).decode("ascii")
        answer = self._wire.post(self._path, {"input": text}, self._token)
        data = answer.document.get("data")
        if answer.status in (400, 403, 404):
            raise KeyUnavailable(f"the key service forbids {self._path}, or has no such audit device", FORBIDDEN)
        found = data.get("hash") if isinstance(data, dict) else None
        if answer.status != _OK or not isinstance(found, str):
            raise KeyUnavailable(f"the key service answers {answer.status} to {self._path}", FAILED)
        return found

    def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()


def _line(raw: bytes, where: str) -> Mapping[str, Any]:
    try:
        line = parse_json(raw, max_bytes=_LONGEST_LINE_BYTES)
    except UnreadableDocument:
        line = None
    if not isinstance(line, dict):
        raise MisconfiguredHome(f"{where} is no line of an audit log of OpenBao")
    return line


def _moment(line: Mapping[str, Any], where: str) -> int:
    text = line.get("time")
    whole, dot, rest = text.partition(".") if isinstance(text, str) else ("", "", "")
    at = moment_ms(f"{whole}.{rest.removesuffix('Z')[:_FINEST]}Z" if dot else whole)
    if at is None:
        raise MisconfiguredHome(f"{where} has no time")
    return at


def _request(line: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    request = line.get("request")
    return (request, str(request.get("id"))) if isinstance(request, dict) else ({}, "")


def _told(
    request: Mapping[str, Any], line: Mapping[str, Any], at_ms: int, settings: KeyServiceSettings
) -> tuple[bool, tuple[KeyUse, ...]] | None:
    """Return whether a request took a key out, and what it unwrapped or took; None when it is of no concern."""
    mount, _, rest = str(request.get("path", "")).partition("/")
    act, *names = rest.split("/")
    key = next((name for name in names if name in settings.transit_keys), None)
    if mount != settings.mount or key is None:
        return None
    auth = line.get("auth")
    name = auth.get("display_name", "") if isinstance(auth, dict) else ""
    who = f"{name} {request.get('remote_address', '')}".strip()
    if act in _TAKING:
        return True, (KeyUse(at_ms, key, act, who),)
    if act != "decrypt":
        return None
    data = request.get("data")
    asked = data.get("batch_input", [data]) if isinstance(data, dict) else [{}]
    items = asked if isinstance(asked, list) else [{}]
    marks = (str(item.get("context", "")) if isinstance(item, dict) else "" for item in items)
    return False, tuple(KeyUse(at_ms, key, mark, who) for mark in marks)
