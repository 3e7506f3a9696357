"""drill: leaks made-up records from copies that this registry really served, and scores its tracer."""

from __future__ import annotations

from typing import Any

import click

from registry.cli.common import Progress, common, registry_at, write_json
from registry.cli.drill.channels import CHANNELS, PICTURE
from registry.cli.drill.pictures import RECOGNISER, is_recogniser_here
from registry.cli.drill.rounds import Drill, Plan
from registry.cli.drill.score import summary
from registry.domain.ids import new_id


@click.command()
@common
@click.option(
    "--channel",
    "channels",
    multiple=True,
    type=click.Choice(CHANNELS),
    help="How the text comes to be; all when none is named.",
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 200), help="Leaks of each channel.")
@click.option("--accounts", default=5, show_default=True, type=click.IntRange(2, 100), help="Accounts that look.")
@click.option("--people", default=4, show_default=True, type=click.IntRange(1, 50), help="Cards in each leak.")
@click.option("--seed", default=1, show_default=True, type=int, help="Picks who leaks and how they write.")
def drill(
    home: str | None,
    channels: tuple[str, ...],
    rounds: int,
    accounts: int,
    people: int,
    seed: int,
    *,
    as_json: bool,
) -> None:
    """Leak made-up people's cards and see what a trace says of it.

    People and accounts are made for the drill and ended after it; every entry says that it was one. In the development
    profile only.
    """
    chosen = tuple(channel for channel in CHANNELS if not channels or channel in channels)
    left_out = [PICTURE] if PICTURE in chosen and not is_recogniser_here() else []
    plan = Plan(new_id(), seed, tuple(one for one in chosen if one not in left_out), rounds, accounts, people)
    with registry_at(home) as application:
        progress = Progress("rounds")
        whole = len(plan.channels) * plan.rounds
        played = list(Drill(application, plan).play(lambda done: progress(done, whole)))
        progress.close()
    document = {
        "drill": plan.drill,
        "seed": seed,
        "accounts": accounts,
        "people": people,
        "channels": summary(played),
        "left_out": left_out,
    }
    if as_json:
        write_json(document)
    else:
        _tell(document)


def _tell(document: dict[str, Any]) -> None:
    click.echo(f"Drill {document['drill']}: {document['people']} cards a leak, {document['accounts']} accounts")
    click.echo(
        f"{'channel':<12}{'leaks':>6}{'values':>8}{'flagged':>9}{'leads':>7}{'first':>7}{'wrongly':>9}{'leads':>7}"
    )
    for one in document["channels"]:
        click.echo(
            f"{one['channel']:<12}{one['rounds']:>6}{one['values_found']:>8.0%}{one['flagged']:>9}{one['leads']:>7}"
            f"{one['first']:>7}{one['wrong_flags']:>9}{one['wrong_leads']:>7}"
        )
    for channel in document["left_out"]:
        click.echo(f"{channel}: left out, {RECOGNISER} is not installed")
