"""A registry that was lived in, as a folder that each test gets its own copy of, and the checks that find tampering."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from registry.audit.high_water import mark_of
from registry.bootstrap import Application, inspected, ledger_key, open_application
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import LedgerCorrupt, RegistryError
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.keys.ports import SigningPair
from registry.services.disclose import Disclosed
from registry.services.evidence import Beside, Snapshot
from registry.services.kernel import Caller
from registry.services.publish import Published
from registry.settings import Settings, load_settings
from registry.storage.high_water import HighWaterFile
from registry.storage.tile_files import TileFiles
from registry.transparency.checkpoint import checkpoint_text
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import Edge
from registry.transparency.note import format_vkey, key_id_of, sign_note
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.proofs import Tree
from registry.transparency.tiles import Tile
from registry.upkeep.fsck import faults_of
from registry.witness.daemon import Witness
from registry.witness.folder import WitnessFolder
from tests.fakes.clock import TestClock
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home, open_copy, person
from tests.functional.services.panels import Line, panel_for, witness_for
from tests.unit.transparency.bundles import Members, sealed_anew

OLDER, CHANGED, SIZE = 150, 200, 300


@dataclass
class Scene:
    """One copy of the registry, closed, and what others have of it.

    Attributes:
        path: the home folder.
        older: the same of 150 entries.
        witness: the folder of a witness that has cosigned all 300.
        published: the true checkpoint.
        proofs: the true inclusion proofs by index.
        lookups: indexes of the three lookups of one person.
        former: the signing key until entry 200, as a thief keeps it.
        bundle: evidence of them, and of the entry before them.
        vkey: the verifier key that outsiders have.
    """

    path: Path
    older: Path
    witness: Path
    published: Published
    proofs: dict[int, tuple[bytes, ...]]
    lookups: list[int]
    former: SigningPair
    bundle: bytes
    vkey: str
    shown: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load_settings(self.path, {})

    @contextmanager
    def sql(self) -> Iterator[sqlite3.Connection]:
        """Give the database as somebody has it who has the machine; triggers are dropped."""
        connection = sqlite3.connect(self.path / "registry.db", isolation_level=None)
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        yield connection
        connection.close()

    @contextmanager
    def looked_at(self) -> Iterator[Application]:
        with inspected(self.settings, TestClock()) as application:
            yield application

    def members(self) -> Members:
        return offline.read_zip(self.bundle)

    def rows(self) -> list[bytes]:
        with self.sql() as sql:
            return [leaf for (leaf,) in sql.execute("SELECT leaf FROM ledger_leaf ORDER BY i")]


def lived_in(template: Path, folder: Path) -> Scene:
    """Make the registry: two people, three lookups of one of them, an exchange of the key, a cosigned checkpoint."""
    home = open_copy(template, folder / "true")
    enrolled = home.enroll()
    subject = enrolled.subject
    home.enroll(person("T-0002"))
    reader = home.caller("reader", Role.READER)
    lookups = [_lookup(home, reader, subject), _lookup(home, reader, subject)]
    grow(home, OLDER)
    home.close()
    shutil.copytree(folder / "true", folder / "older")
    home = Home(open_application(load_settings(folder / "true", {}), home.clock), home.clock)
    lookups.append(_lookup(home, reader, subject))
    grow(home, CHANGED)
    former = home.app.keyring.signing_keys().current
    ledger_key(home.app).exchange(operator="local:test")
    grow(home, SIZE)
    panel = panel_for(home, Line(witness_for(home, folder / "witness")))
    (asked,) = panel.round(home.clock)
    assert asked.failure == ""
    published = home.app.tiles.publisher.publish()
    proofs = {index: home.app.tiles.publisher.inclusion(index, published.checkpoint) for index in (*lookups, 120, 121)}
    bundle = home.app.evidence.cut(Snapshot(SIZE, ""), [enrolled.receipt.index, *lookups], Beside({}))
    vkey = format_vkey(home.app.verifier_key)
    home.close()
    return Scene(
        folder / "true", folder / "older", folder / "witness", published, proofs, lookups, former, bundle, vkey
    )


def _lookup(home: Home, reader: Caller, subject: SubjectId) -> int:
    answer = home.disclose(reader, home.ask(subject, Category.PHONE))
    assert isinstance(answer, Disclosed)
    return answer.receipt.index


def copy_of(true: Scene, folder: Path) -> Scene:
    """Return a scene of its own in a folder that does not exist."""
    for name, source in (("home", true.path), ("older", true.older), ("witness", true.witness)):
        shutil.copytree(source, folder / name)
    return Scene(
        folder / "home",
        folder / "older",
        folder / "witness",
        true.published,
        true.proofs,
        true.lookups,
        true.former,
        true.bundle,
        true.vkey,
    )


def by_verify(scene: Scene) -> str:
    """``registry audit verify``."""
    try:
        with scene.looked_at() as application:
            verify_ledger(application, 1)
    except LedgerCorrupt as error:
        return str(error)
    return ""


def by_start(scene: Scene) -> str:
    """The start of a server."""
    try:
        open_application(scene.settings, TestClock()).close()
    except RegistryError as error:
        return str(error)
    return ""


def by_next_entry(scene: Scene) -> str:
    """Whoever appends next."""
    try:
        with scene.looked_at() as application:
            grow(Home(application, TestClock()), SIZE + 5)
    except RegistryError as error:
        return str(error)
    return ""


def by_publisher(scene: Scene) -> str:
    """The publisher, before a checkpoint, tile or bundle leaves."""
    try:
        with scene.looked_at() as application:
            published = application.tiles.publisher.publish()
            application.tiles.publisher.tile(Tile(None, 0, min(published.checkpoint.size, 256)))
    except RegistryError as error:
        return str(error)
    return ""


def by_fsck(scene: Scene) -> str:
    """``registry audit fsck``, on a ledger that verifies."""
    with scene.looked_at() as application:
        verify_ledger(application, 1)
        return "; ".join(f"{fault.part}: {fault.what}" for fault in faults_of(application))


def by_witness(scene: Scene) -> str:
    """A witness of another organisation, at the next round."""
    with scene.looked_at() as application:
        home = Home(application, TestClock())
        panel = panel_for(home, Line(Witness(WitnessFolder(scene.witness), home.clock)))
        (asked,) = panel.round(home.clock)
        return asked.failure


def by_bundle(scene: Scene) -> str:
    """The verifier that stands alone, with the key that an outsider has."""
    verdict = offline.verify(scene.bundle, scene.vkey)
    return "; ".join([*verdict.problems, *(f"gap: {gap}" for gap in verdict.gaps)])


def by_comparing(scene: Scene) -> str:
    """Two readers who compare what they were given."""
    one, other = scene.shown
    return "two roots of one size" if one != other else ""


def rebuilt(scene: Scene, size: int) -> None:
    """Make head, mark and tiles fit the rows, signed with the registry's own key: what an operator can do."""
    with scene.looked_at() as application:
        log = application.kernel.log
        rows = scene.rows()[:size]
        with application.database.reader() as reader:
            head = reader.head()
        new = log.sign_head(head.epoch, Edge.empty().extend(map(leaf_hash, rows)), head.last_ms)
        HighWaterFile(application.settings.ledger).replace(mark_of(new, application.signing))
        TileFiles(application.settings.ledger).set_aside()
    with scene.sql() as sql:
        sql.execute("DELETE FROM ledger_leaf WHERE i >= ?", (size,))
        sql.execute("DELETE FROM ledger_body WHERE i >= ?", (size,))
        values = (new.size, new.edge, new.root, new.checkpoint)
        sql.execute("UPDATE ledger_head SET n = ?, edge = ?, root = ?, checkpoint = ?", values)


def stolen_note(scene: Scene, size: int) -> str:
    """Return a checkpoint that the former key signed, long after it should have been destroyed."""
    origin = scene.published.checkpoint.origin
    text = checkpoint_text(origin, size, bytes(range(32)))
    return sign_note(text, origin, key_id_of(origin, scene.former.first.public_bytes), scene.former.first.sign)


def resealed(scene: Scene, name: str, changed: bytes) -> None:
    """Change a file of the bundle, and repair all that needs no proof."""
    members = {**scene.members(), name: changed}
    members["sections"] = offline.sections_of(members)
    scene.bundle = sealed_anew(members)


def tree_of(rows: list[bytes]) -> Tree:
    return Tree([leaf_hash(row) for row in rows])
