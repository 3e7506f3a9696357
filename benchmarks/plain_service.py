"""The baseline: what a team would write first. One FastAPI route, python-jose, SQLAlchemy, six AES-GCM fields and one
audit row committed per request, on SQLite with the same durable settings. No policy, no tree, no receipts."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Annotated

import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI, Header, HTTPException
from jose import jwt
from sqlalchemy import create_engine, event, text

FIELDS = 6
PEOPLE = 1_000
_KEY = AESGCM(bytes(32))


def build(path: str, public_key: dict[str, str]) -> FastAPI:
    """Make the service over a fresh database."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def durable(connection: object, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]  # a DB-API connection
        connection.execute("PRAGMA synchronous=FULL")  # type: ignore[attr-defined]  # a DB-API connection

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE card (person INTEGER, field INTEGER, nonce BLOB, value BLOB)"))
        connection.execute(text("CREATE INDEX card_person ON card (person)"))
        connection.execute(text("CREATE TABLE audit (at REAL, who TEXT, person INTEGER)"))
        rows = [
            {"p": person, "f": field, "n": (nonce := os.urandom(12)), "v": _KEY.encrypt(nonce, b"x" * 60, None)}
            for person in range(PEOPLE)
            for field in range(FIELDS)
        ]
        connection.execute(text("INSERT INTO card VALUES (:p, :f, :n, :v)"), rows)
    app = FastAPI()

    @app.post("/v1/disclosures")
    def disclose(body: dict[str, object], authorization: Annotated[str, Header()]) -> dict[str, object]:
        try:
            claims = jwt.decode(authorization[7:], public_key, algorithms=["ES256"], audience="registry")
        except Exception as exc:
            raise HTTPException(401) from exc
        person = int(str(body["employee_number"]).rsplit("-", 1)[1]) % PEOPLE
        with engine.begin() as connection:
            found = connection.execute(
                text("SELECT field, nonce, value FROM card WHERE person = :p"), {"p": person}
            ).all()
            connection.execute(
                text("INSERT INTO audit VALUES (:a, :w, :p)"), {"a": time.time(), "w": claims["sub"], "p": person}
            )
        return {
            "records": [
                {"field": row.field, "value": _KEY.decrypt(row.nonce, row.value, None).decode()} for row in found
            ]
        }

    return app


if __name__ == "__main__":
    uvicorn.run(build(sys.argv[1], json.loads(sys.argv[2])), port=int(sys.argv[3]), log_level="error", access_log=False)
