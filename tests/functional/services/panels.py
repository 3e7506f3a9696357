"""A registry with a witness, both in this process; the wire between them can lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from registry.services.witnesses import Panel, Witnesses, WitnessSettings
from registry.storage.witness_files import WitnessFiles
from registry.transparency.cosignature import format_cosigner
from registry.transparency.note import format_vkey
from registry.transparency.trust_policy import parse_policy
from registry.witness.client import Answer
from registry.witness.daemon import Reply, Witness
from registry.witness.folder import WitnessFolder, create
from tests.functional.services.homes import Home

AT = "https://witness.example"


@dataclass
class Line:
    """Carries requests to a witness; a test may answer in its place."""

    witness: Witness
    submitted: Callable[[bytes], Answer] | None = None
    looked: Callable[[], Answer] | None = None
    asked: list[bytes] = field(default_factory=list)

    def submit(self, prefix: str, body: bytes) -> Answer:
        assert prefix == AT
        self.asked.append(body)
        return self.submitted(body) if self.submitted else _answer(self.witness.add_checkpoint(body))

    def look(self, prefix: str, path: str) -> Answer:
        assert prefix == AT
        return self.looked() if self.looked else _answer(self.witness.shown(path))


def _answer(reply: Reply) -> Answer:
    return Answer(reply.status, reply.body.encode())


def witness_for(home: Home, place: Path) -> Witness:
    create(place, "witness.example/w1", [home.app.verifier_key])
    return Witness(WitnessFolder(place), home.clock)


def panel_for(home: Home, line: Line, settings: WitnessSettings | None = None) -> Witnesses:
    """Return what asks a witness, as a registry has it that names one in its policy."""
    vkey = format_cosigner(line.witness._folder.key.key)
    policy = parse_policy(f"log {format_vkey(home.app.verifier_key)}\nwitness w {vkey} {AT}\nquorum w\n".encode())
    panel = Panel(policy, {"w": AT}, settings or WitnessSettings(), home.app.signing)
    return Witnesses(home.app.kernel.log, home.app.tiles.publisher, panel, line, WitnessFiles(home.app.settings.ledger))
