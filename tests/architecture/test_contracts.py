"""The import contracts hold, and each one breaks when it should.

A toy package with the same rooms is built in a temporary folder, and the contracts of pyproject.toml run on it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
TOY = {
    "domain/ids.py": "",
    "text/fold.py": "from registry.domain import ids",
    "policy/decide.py": "from registry.text import fold",
    "policy/engine.py": "import cedarpy",
    "crypto/envelope.py": "import cryptography",
    "crypto/wrap.py": "",
    "transparency/leaf.py": "",
    "leaktrace/copies.py": "",
    "documents/pdf.py": "import pypdf",
    "keys/local.py": "from registry.crypto import wrap",
    "audit/_mint.py": "",
    "audit/receipt.py": "from registry.audit import _mint",
    "audit/bodies.py": "from registry.crypto import envelope",
    "audit/chains.py": "from registry.crypto import envelope",
    "audit/log.py": "from registry.audit import _mint, receipt",
    "vault/vault.py": "from registry.audit import receipt\nfrom registry.crypto import envelope",
    "services/disclose.py": "from registry.audit import receipt\nfrom registry.vault import vault",
    "storage/tables.py": "import sqlalchemy, alembic\nfrom registry.services import disclose",
    "identity/tokens.py": "import jose",
    "reports/pdf.py": "import typst",
    "settings.py": "",
    "bootstrap/__init__.py": "from registry.storage import tables",
    "api/app.py": "import fastapi, starlette\nfrom registry import bootstrap",
    "console/app.py": "import fastapi",
    "cli/main.py": "import click\nfrom registry import bootstrap",
    "__main__.py": "from registry.cli import main",
}
# Contract, module, what it must not import.
BREAKS = [
    ("floors", "domain/ids.py", "registry.text.fold"),
    ("floors", "crypto/wrap.py", "registry.policy.decide"),
    ("floors", "storage/tables.py", "registry.identity.tokens"),
    ("floors", "cellar/x.py", "registry.domain.ids"),
    ("envelope", "services/disclose.py", "registry.crypto.envelope"),
    ("envelope", "audit/log.py", "registry.crypto.envelope"),
    ("wrap", "vault/vault.py", "registry.crypto.wrap"),
    ("mint", "services/disclose.py", "registry.audit._mint"),
    ("receipt", "storage/tables.py", "registry.audit.receipt"),
    ("receipt", "audit/bodies.py", "registry.audit.receipt"),
    ("cryptography", "vault/vault.py", "cryptography.hazmat.primitives.ciphers.aead"),
    ("jose", "api/app.py", "jose.jwt"),
    ("sql", "services/disclose.py", "sqlalchemy.orm"),
    ("sql", "bootstrap/opening.py", "alembic.command"),
    ("web", "cli/main.py", "fastapi"),
    ("web", "identity/tokens.py", "starlette.requests"),
    ("click", "api/app.py", "click"),
    ("typst", "services/disclose.py", "typst"),
    ("pypdf", "services/disclose.py", "pypdf"),
    ("cedar", "services/disclose.py", "cedarpy"),
    ("front", "api/app.py", "registry.storage.tables"),
    ("front", "cli/main.py", "registry.vault.vault"),
    ("front", "console/app.py", "registry.crypto.wrap"),
    ("floors", "api/app.py", "registry.cli.main"),
    ("floors", "storage/tables.py", "registry.settings"),
]


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    for contract in contracts:
        command += ["--contract", contract]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in TOY.items():
        write(tmp_path, name, text)
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "registry" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for package in (folder / "registry", path.parent):
        (package / "__init__.py").touch()
    path.write_text(text + "\n", "utf-8")


def test_the_contracts_hold_here() -> None:
    outcome = lint(ROOT)
    assert outcome.returncode == 0, outcome.stdout


def test_the_contracts_allow_what_the_house_allows(toy: Path) -> None:
    outcome = lint(toy)
    assert outcome.returncode == 0, outcome.stdout


def test_the_contracts_hold_without_a_room_that_may_be_missing(toy: Path) -> None:
    shutil.rmtree(toy / "registry/console")
    outcome = lint(toy)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(("contract", "module", "imported"), BREAKS)
def test_a_contract_breaks_when_it_should(toy: Path, contract: str, module: str, imported: str) -> None:
    write(toy, module, f"{TOY.get(module, '')}\nimport {imported}")
    outcome = lint(toy, contract)
    assert outcome.returncode == 1
    assert "BROKEN" in outcome.stdout, outcome.stdout


def test_each_contract_is_broken_once() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {contract for contract, _, _ in BREAKS}
