"""demo: the whole story on made-up people, in a folder of its own."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
import httpx2

from registry.cli.common import common, write_json
from registry.cli.demo import steps
from registry.cli.demo.desk import Desk, StepFailed
from registry.cli.demo.findings import entries_of_copies
from registry.cli.demo.folder import Folder, demo_folder
from registry.cli.demo.leak import Leak
from registry.cli.demo.signing_in import SignIn, sign_ins, stay_open, tell_sign_ins
from registry.cli.demo.story import Story
from registry.cli.failures import UNAVAILABLE
from registry.cli.serving import SIGN_IN_PATH

DEFAULT_FOLDER = "registry-demo"


@click.command()
@common
@click.option("--no-serve", is_flag=True, help="End after the last step instead of leaving the registry open.")
@click.option(
    "--dir", "folder", default=DEFAULT_FOLDER, show_default=True, metavar="DIR", help="Where everything goes."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Picks who leaks, and what.")
@click.pass_context
def demo(context: click.Context, home: str | None, folder: str, seed: int, *, no_serve: bool, as_json: bool) -> None:
    """Run the whole story on made-up people: enroll, look up, leak, trace, report, verify, tamper."""
    if home is not None or (context.find_root().obj or {}).get("home") is not None:
        raise click.UsageError("the demo makes a registry of its own; say where with --dir")
    signal.signal(signal.SIGTERM, _as_interrupt)
    with demo_folder(Path(folder)) as place, place.log() as log:
        run = _Run(Story(_silent if as_json else click.echo, log), place, seed)
        try:
            city = steps.open_city(run.story, place)
            with steps.served(city, log) as served:
                document, leak = run.tell(served.desk, city)
                ways = () if no_serve else sign_ins(served, city, leak.source.number)
                if as_json:
                    write_json(document | ({} if no_serve else _served(served.url, ways)))
                if not no_serve:
                    tell_sign_ins(run.story, place, served.url, ways)
                    stay_open(served.url)
        except (StepFailed, httpx2.HTTPError) as error:
            _say_failed(run.story, error)
            context.exit(UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class _Run:
    story: Story
    place: Folder
    seed: int

    def tell(self, desk: Desk, city: steps.City) -> tuple[dict[str, Any], Leak]:
        """Go through all steps that need the server; returns what ``--json`` prints, and the leak."""
        story, place = self.story, self.place
        played = steps.play_week(story, desk, city)
        leak = steps.post_leak(story, place, self.seed, city, played)
        traced = steps.read_leak(story, desk, leak)
        steps.write_results(story, desk, place, traced)
        steps.verify_evidence(story, place, city, leak)
        verified = steps.verify_whole_ledger(story, city)
        story.end()
        document = {
            "dir": str(place.path),
            "seed": self.seed,
            "people": len(city.people),
            "staff": len(city.readers),
            "requests": played.requests,
            "statuses": {str(status): count for status, count in sorted(played.statuses.items())},
            "served": len(played.served),
            "trace": traced.trace,
            "tier": traced.report["tier"]["label"],
            "facts": list(leak.facts),
            "found": sum(len(person["findings"]) for person in traced.report["people"]),
            "accounts": len(traced.report["accounts"]),
            "copies": len(entries_of_copies(traced.report)),
            "true_copy": leak.source.index,
            "entries": verified.size,
            "held": story.held,
            "steps": [{"title": step.title, "held": step.held, "seconds": step.seconds} for step in story.steps],
        }
        return document, leak


def _served(url: str, ways: Sequence[SignIn]) -> dict[str, Any]:
    listed = [{"role": way.role.value, "sub": way.sub, "link": way.link, "token": way.token} for way in ways]
    return {"url": url, "console": f"{url}{SIGN_IN_PATH}", "sign_ins": listed}


def _say_failed(story: Story, error: Exception) -> None:
    text = str(error) if isinstance(error, StepFailed) else "the server did not answer"
    line = f"registry: step {len(story.steps)} of the demonstration did not hold: {text}"
    story.log.write(f"{line}\n")
    click.echo(line, err=True)


def _silent(_line: str) -> None:
    return


def _as_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
