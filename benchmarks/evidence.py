"""How long the stand-alone verifier takes for a bundle, in a process that has nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.registries import filled
from benchmarks.serving import Plan
from benchmarks.table import markdown, number
from registry.bootstrap import opened
from registry.services.evidence import Beside, Snapshot
from registry.settings import load_settings
from registry.transparency.offline import verifier_source

_SIZES = (10, 100, 1_000)


def bundles(plan: Plan) -> str:
    """Measure cutting and verifying bundles of 10, 100 and 1,000 entries, both signatures of the ledger checked."""
    rows = []
    with TemporaryDirectory(prefix="registry-bench-") as name:
        folder = Path(name)
        registry = filled(folder, max(plan.people, *_SIZES), None)
        environment: Mapping[str, str] = dict(registry.environment)
        (folder / "verify_bundle.py").write_bytes(verifier_source())
        with opened(load_settings(registry.settings.home, environment)) as application:
            with application.database.reader() as reader:
                size = reader.head().size
            for count in _SIZES:
                start = time.perf_counter()
                indexes = range(size - count, size)
                bundle = application.evidence.cut(Snapshot(size, ""), indexes, Beside({}))
                cut = time.perf_counter() - start
                (folder / "bundle.zip").write_bytes(bundle)
                (folder / "trusted.policy").write_text(application.evidence.policy)
                taken = min(_verified(folder) for _ in range(plan.rounds))
                told = (f"{len(bundle) / 1e6:.1f}", f"{cut:.2f}", f"{taken:.2f}", number(count / taken))
                rows.append([str(count), *told])
    return markdown(["entries", "MB", "cut, s", "verified, s (whole process)", "entries/s"], rows)


def _verified(folder: Path) -> float:
    command = [sys.executable, "-I", "-S", "verify_bundle.py", "bundle.zip", "--policy", "trusted.policy", "--json"]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env={}, capture_output=True, check=True)
    return time.perf_counter() - start
