"""However long the file, an import holds a few batches of it: memory is measured, of every process of the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.bootstrap import initialise
from registry.settings import DEVELOPMENT, load_settings

# The children's figure is the largest of them, not their sum.
_SCRIPT = """
import resource, sys
from registry.cli.main import main
try:
    main(["import", sys.argv[1], "--workers", sys.argv[2], "--json"])
finally:
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(*peaks, file=sys.stderr)
"""
GROWTH_KB = 24 * 1024


def peaks(folder: Path, lines: int, workers: int) -> list[int]:
    """Import that many lines into a new registry; return the peak memory of command and largest child, in KB."""
    home, people = folder / f"home-{lines}", folder / "people.ndjson"
    initialise(load_settings(home, {}), DEVELOPMENT)
    with people.open("w", encoding="utf-8") as file:
        for number in range(lines):
            phone = {"category": "phone", "value": {"kind": "mobile", "number": f"816-555-{100 + number % 100:04}"}}
            body = {"employee_number": f"T-{number}", "given_name": "Dana", "department": "Parks", "records": [phone]}
            file.write(json.dumps(body) + "\n")
    environment = {**os.environ, "REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": "", "REGISTRY_URL": ""}
    command = [sys.executable, "-c", _SCRIPT, str(people), str(workers)]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=True, timeout=500)
    assert json.loads(done.stdout)["created"] == lines
    return [int(peak) for peak in done.stderr.split()]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = peaks(tmp_path, 600, 0), peaks(tmp_path, 3_000, 0)
    assert large[0] - small[0] < GROWTH_KB


@pytest.mark.slow
def test_memory_does_not_grow_with_a_long_file(tmp_path: Path) -> None:
    small, large = peaks(tmp_path, 2_000, 2), peaks(tmp_path, 10_000, 2)
    assert large[0] - small[0] < GROWTH_KB
    assert large[1] - small[1] < GROWTH_KB
