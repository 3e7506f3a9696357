"""What a team would write first: one FastAPI route as its tutorial has it, python-jose, a SQLAlchemy session a request,
six AES-GCM fields and one audit row committed per request, with the same durable settings. No policy, no tree, no
receipts, one key for everybody.

``python -m benchmarks.plain_service DATABASE-ADDRESS PUBLIC-KEY PEOPLE PORT``
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Annotated, Any

import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI, Header, HTTPException
from jose import JWTError, jwt
from sqlalchemy import Engine, create_engine, event, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_FIELDS = 6
_THREADS = 40  # FastAPI's own number
_KEY = AESGCM(bytes(32))


class _Base(DeclarativeBase):
    pass


class Field(_Base):
    """One sealed value."""

    __tablename__ = "field"
    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(index=True)
    field: Mapped[int]
    nonce: Mapped[bytes]
    value: Mapped[bytes]


class AuditRow(_Base):
    """One line of the audit table."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    who: Mapped[str]
    person: Mapped[int]


def build(engine: Engine, public_key: dict[str, str], people: int) -> FastAPI:
    """Make the service over a filled database."""
    app = FastAPI()

    @app.post("/v1/disclosures")
    def disclose(body: dict[str, Any], authorization: Annotated[str, Header()]) -> dict[str, Any]:
        try:
            claims = jwt.decode(authorization[7:], public_key, algorithms=["ES256"], audience="registry")
        except JWTError as exc:
            raise HTTPException(401) from exc
        person = int(body["employee_number"].rsplit("-", 1)[1]) % people
        with Session(engine) as session:
            found = session.scalars(select(Field).where(Field.person == person)).all()
            records = [
                {"field": one.field, "value": _KEY.decrypt(one.nonce, one.value, None).decode()} for one in found
            ]
            session.add(AuditRow(at=time.time(), who=claims["sub"], person=person))
            session.commit()
        return {"records": records}

    return app


def fill(engine: Engine, people: int) -> None:
    """Make the tables and every person's values."""
    _Base.metadata.create_all(engine)
    rows = [
        {"person": person, "field": field, "nonce": (nonce := os.urandom(12)), "value": _sealed(nonce)}
        for person in range(people)
        for field in range(_FIELDS)
    ]
    with engine.begin() as connection:
        connection.execute(insert(Field), rows)


def _sealed(nonce: bytes) -> bytes:
    return _KEY.encrypt(nonce, b"x" * 90, None)


def _open(url: str) -> Engine:
    engine = create_engine(url, pool_size=_THREADS)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def durable(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=15000")

    return engine


def main() -> None:
    """Serve."""
    url, key, people, port = sys.argv[1:]
    engine = _open(url)
    fill(engine, int(people))
    uvicorn.run(build(engine, json.loads(key), int(people)), port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
