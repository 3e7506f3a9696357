"""AWS KMS as far as moto plays it, over real HTTP on loopback, with everything that a far-away service can do wrong.

moto keeps keys, aliases, states and encryption contexts; it knows neither limits of requests nor a disabled key's
refusal to decrypt. ``Faults`` stands before it and answers in its place.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from registry.keys.kms.settings import KmsSettings

REGION = "us-east-1"
# Environment of a registry's process: credentials that are worth nothing, and no look for others.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Faults:
    """Counts questions, and answers them with an error of KMS, or late, while it is told to."""

    def __init__(self, inner: _Application) -> None:
        self._inner = inner
        self._lock = Lock()
        self.asked: list[str] = []
        self.error = ""
        self.only = ""
        self.delay_seconds = 0.0
        self.plain: bytes | None = None

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        what = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        with self._lock:
            self.asked.append(what)
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        if self.error and self.only in ("", what):
            body = json.dumps({"__type": self.error, "message": "not for anybody's eyes"}).encode()
            length = ("Content-Length", str(len(body)))
            start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1"), length])
            return [body]
        return self._inner(environ, start) if self.plain is None else self._changed(environ, start, self.plain)

    def _changed(self, environ: dict[str, Any], start: Callable[..., Any], plain: bytes) -> Iterable[bytes]:
        """Answer as KMS does, but for what it opened."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        told = json.loads(b"".join(self._inner(environ, lambda *said: begun.append(said[:2]))))
        told.update({"Plaintext": base64.b64encode(plain).decode()} if "Plaintext" in told else {})
        body, (status, headers) = json.dumps(told).encode(), begun[0]
        kept = [one for one in headers if one[0].lower() != "content-length"]
        start(status, [*kept, ("Content-Length", str(len(body)))])
        return [body]

    @contextmanager
    def failing(self, error: str, only: str = "") -> Iterator[None]:
        """Answer with an error of KMS for a block; to one kind of question, or to all."""
        self.error, self.only = error, only
        try:
            yield
        finally:
            self.error, self.only = "", ""

    @contextmanager
    def opening_to(self, plain: bytes) -> Iterator[None]:
        """Give these bytes for whatever is decrypted, for a block."""
        self.plain = plain
        try:
            yield
        finally:
            self.plain = None


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 # its name there
        pass


class KmsServer:
    """One server; keys of several registries."""

    def __init__(self) -> None:
        self.faults = Faults(DomainDispatcherApplication(create_backend_app))
        self._server: Any = None
        self._thread: Thread | None = None
        self.port = 0

    def start(self) -> None:
        """Listen, on the port of before when it was stopped."""
        self._server = make_server("127.0.0.1", self.port, self.faults, threaded=True, request_handler=_Quiet)
        self.port = self._server.port
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._thread = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """Return a client of the administrator's."""
        return boto3.session.Session().client(
            "kms",
            region_name=REGION,
            endpoint_url=self.address,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def make_key(self, alias: str) -> str:
        """Make a key and let an alias stand for it; returns its ARN."""
        client = self.client()
        facts = client.create_key(KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]
        if any(one["AliasName"] == alias for one in client.list_aliases()["Aliases"]):
            client.update_alias(AliasName=alias, TargetKeyId=facts["KeyId"])
        else:
            client.create_alias(AliasName=alias, TargetKeyId=facts["KeyId"])
        client.close()
        return str(facts["Arn"])

    def set_up(self, alias: str, **changed: Any) -> KmsSettings:
        """Make the key of a new registry, and return its settings."""
        self.make_key(alias)
        return KmsSettings(**{"key": alias, "region": REGION, "endpoint": self.address, "attempts": 1, **changed})
