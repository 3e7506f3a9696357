"""The stand-alone verifier as a command: exit codes, output, and that it needs nothing."""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry.transparency.bundle import write_bundle
from registry.transparency.fields import FIXED_FIELDS, MAX_RECORDS
from registry.transparency.offline import verifier_source, verify_bundle
from registry.transparency.offline.verify_bundle import main, read_zip, report, shown, verify
from tests.unit.transparency.cosigned import POLICY, cosigned_bundle
from tests.unit.transparency.support import (
    LEDGER,
    ORIGIN,
    START_MS,
    STRANGER,
    Ledger,
    example_bundle,
)

EXAMPLE = example_bundle()
MEMBERS = read_zip(EXAMPLE)


@pytest.fixture
def bundle_file(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    path.write_bytes(EXAMPLE)
    return path


def test_the_command_runs_alone(bundle_file: Path, tmp_path: Path) -> None:
    """In an empty folder, isolated from every package: ``-I`` ignores the environment and ``-S`` site-packages."""
    script = tmp_path / "alone" / "verify_bundle.py"
    script.parent.mkdir()
    script.write_bytes(MEMBERS["verify_bundle.py"])
    command = [sys.executable, "-I", "-S", str(script), str(bundle_file), "--key", LEDGER.vkey]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment, cwd=tmp_path)
    assert done.stderr == b""
    assert done.returncode == 0
    assert done.stdout.startswith(b"VERIFIED")


def test_a_cosigned_bundle_verifies_alone_with_the_network_off(tmp_path: Path) -> None:
    """In a network namespace of its own, where the machine allows one; the verifier imports no socket anyway."""
    (tmp_path / "bundle.zip").write_bytes(cosigned_bundle())
    (tmp_path / "trusted.policy").write_text(POLICY)
    (tmp_path / "verify_bundle.py").write_bytes(verifier_source())
    apart = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        apart = []
    command = [*apart, sys.executable, "-I", "-S", "verify_bundle.py", "bundle.zip", "--policy", "trusted.policy"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"witness inspector cosigned it" in done.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_hand_check_of_the_readme_works(tmp_path: Path) -> None:
    members = read_zip(cosigned_bundle())
    steps = [line[4:] for line in members["README.txt"].decode().splitlines() if line.startswith("    ")]
    script = "\n".join(line for line in steps if "verify_bundle.py" not in line).replace("<verifier key>", LEDGER.vkey)
    assert "openssl pkeyutl -verify" in script

    def by_hand(checkpoint: bytes) -> subprocess.CompletedProcess[bytes]:
        (tmp_path / "checkpoint").write_bytes(checkpoint)
        return subprocess.run(["sh", "-e", "-c", script], capture_output=True, check=False, cwd=tmp_path)

    assert b"Signature Verified Successfully" in by_hand(members["checkpoint"]).stdout
    changed = by_hand(members["checkpoint"].replace(b"\n10\n", b"\n11\n"))
    assert (changed.returncode, b"Signature Verification Failure" in changed.stdout) == (1, True)


def test_exit_codes(bundle_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(bundle_file), "--key", LEDGER.vkey]) == 0
    assert capsys.readouterr().out.startswith("VERIFIED")
    assert main([str(bundle_file), "--key", STRANGER.vkey]) == 1
    assert capsys.readouterr().out.startswith("REFUSED")
    assert main([str(bundle_file), "--key", "nonsense\x1b"]) == 2
    assert main([str(bundle_file.with_name("missing\x1b.zip")), "--key", LEDGER.vkey]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "\x1b" not in captured.err


@pytest.mark.parametrize("arguments", [[], ["x.zip"], ["x.zip", "--key", "a", "--policy", "b"]])
def test_a_key_must_be_given(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "limit", ["", "0011aabb", "0011aabb=", "0011aabb=-5", "0011aabb=05", "0011AABB=5", "0011aab=5", "=5", "5"]
)
def test_a_limit_that_is_none_is_not_passed_over(bundle_file: Path, limit: str) -> None:
    assert main([str(bundle_file), "--key", LEDGER.vkey, "--until", limit]) == 2
    assert main([str(bundle_file), "--key", LEDGER.vkey, "--until", "0011aabb=5"]) == 0


def test_json_says_the_same(bundle_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(bundle_file), "--key", LEDGER.vkey, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verified"] is True
    assert document["entries"][1]["fields"]["note"] == "café \u202e\n"


def test_a_policy_file_gives_the_key(bundle_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = bundle_file.with_name("policy")
    policy.write_text(f"# trusted\n log {STRANGER.vkey}\nlog\t{LEDGER.vkey} https://{ORIGIN}\nquorum none\n")
    # Two keys of one ledger and one kind: which of them signs what has to be said.
    assert main([str(bundle_file), "--policy", str(policy)]) == 1
    assert "say with --until" in capsys.readouterr().out
    assert main([str(bundle_file), "--policy", str(policy), "--until", f"{STRANGER.key.key_id.hex()}=0"]) == 0
    policy.write_text(f"log {STRANGER.vkey}\nquorum none\n")
    assert main([str(bundle_file), "--policy", str(policy)]) == 1
    policy.write_text("quorum none\n")
    assert main([str(bundle_file), "--policy", str(policy)]) == 2
    policy.write_bytes(b"\xff")
    assert main([str(bundle_file), "--policy", str(policy)]) == 2
    assert "names no log key" in capsys.readouterr().err


def test_output_survives_a_terminal_without_unicode(bundle_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([str(bundle_file), "--key", LEDGER.vkey]) == 0
    terminal.flush()
    assert b"caf\\xe9" in terminal.buffer.getvalue()  # type: ignore[attr-defined]  # the BytesIO above


def test_a_time_beyond_the_calendar_is_printed_as_a_number() -> None:
    ledger = Ledger()
    ledger.add({}, ms=2**62)
    text = report(verify(write_bundle(ledger.bundle(ledger.entry(0))), LEDGER.vkey))
    assert f"Entry 0  disclose  {START_MS + 2**62}\n" in text


def test_what_could_fool_a_terminal_is_escaped() -> None:
    assert shown("a\x1b[2J\u202eb\u0085\u2028\\n") == "a\\x1b[2J\\u202eb\\x85\\u2028\\\\n"


# --- its source


def test_it_imports_the_standard_library_alone_and_reads_as_python_3_8() -> None:
    tree = ast.parse(verifier_source(), feature_version=(3, 8))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {(node.module or ".").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)
    assert not imported & {"socket", "subprocess", "urllib", "http", "ctypes", "pickle", "importlib", "zipfile"}


def test_it_knows_the_same_fields_as_the_ledger() -> None:
    assert (verify_bundle.FIXED_FIELDS, verify_bundle.MAX_RECORDS) == (FIXED_FIELDS, MAX_RECORDS)
