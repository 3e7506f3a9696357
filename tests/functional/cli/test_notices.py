"""notices send and list, and what the doctor says of them."""

from __future__ import annotations

from pathlib import Path

from registry.cli.demo.people import make_people
from tests.functional.cli.conftest import PEOPLE, Line
from tests.functional.services.receivers import SECRET, Receiver, receiving

PERSON = make_people(PEOPLE)[0]
LOOK_UP = ("disclose", "--employee-number", PERSON.number, "--category", "phone", "--purpose", "emergency_contact")


def configure(home: Path, receiver: Receiver) -> Path:
    secret = home / "webhook.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    told = f'[notify.webhook]\nurl = "{receiver.url}"\nsecret_file = "webhook.secret"\n'
    (home / "config.toml").write_text(told, "ascii")
    return secret


def notices_check(line: Line, exits: int) -> str:
    (found,) = [one for one in line.json("doctor", exits=exits)["checks"] if one["name"] == "notices"]
    return f"{found['what']} {found['mend']}"


def test_what_waits_is_listed_and_sent(used: Line) -> None:
    assert notices_check(used, 0).startswith("none are sent")
    with receiving() as receiver:
        secret = configure(used.home, receiver)
        used(*LOOK_UP)
        (listed,) = used.json("notices", "list")
        assert (listed["kind"], listed["channel"], listed["state"], listed["attempts"]) == (
            "viewer_copy",
            "webhook",
            "waiting",
            0,
        )
        assert listed["notice"] in used("notices", "list").stdout
        assert notices_check(used, 0).startswith("1 wait")
        receiver.status = 410
        assert used.json("notices", "send") == {"sent": 0, "failed": 1, "waiting": 1, "dead": 0}
        receiver.status = 200
        used(*LOOK_UP)
        assert used("notices", "send").stdout == "1 sent, 0 failed, 1 waiting, 0 dead.\n"
        assert len(set(receiver.ids)) == 2
        secret.chmod(0o644)
        assert "chmod 400" in notices_check(used, 1)
    (used.home / "config.toml").unlink()
    assert "not set: webhook" in notices_check(used, 1)
