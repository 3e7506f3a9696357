"""The calls of the guide for HR systems, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import Site

GUIDE = Path(__file__).parents[3] / "docs" / "hr-integration.md"


def calls() -> str:
    section = GUIDE.read_text("utf-8").partition("## Provisioning by SCIM\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 4
    return "set -euo pipefail\n" + "\n".join(blocks)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: the guide's calls NOT checked")
def test_the_calls_of_the_guide_work_as_they_stand(site: Site) -> None:
    token = site.as_(Role.ENROLLER)["Authorization"].removeprefix("Bearer ")
    environment = {"PATH": os.environ["PATH"], "REGISTRY_URL": site.url, "REGISTRY_TOKEN": token}
    done = subprocess.run(
        ["bash", "-c", calls()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"totalResults":1' in done.stdout
    told = [
        entry.values["detail"]
        for entry in site.home.entries()
        if entry.values and "provision" in entry.values["detail"]
    ]
    assert [detail.rpartition(" ")[2] for detail in told] == [
        "employed",
        "employed",
        "left",
        "removed",
        "employed",
        "employed",
    ]
    asked = {"employee_number": "KC-004211", "categories": ["phone"], "purpose": {"code": "payroll"}}
    assert site.disclose(asked).status_code == 403  # still protected, and not for payroll
