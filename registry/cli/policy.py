"""policy: check an agency's policy files, explain how one request would be decided, list what was in force when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from registry.cli.common import F, common, registry_to_inspect, settings_of, write_json
from registry.cli.failures import FOUND_WRONG
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import PrincipalId, RecordId
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import Decision, Denial, Facts, RecordFacts, Relation
from registry.policy.engine import Policy, load_policy
from registry.policy.rule_set import checked, texts_with

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def policy() -> None:
    """Check policies; explain a decision; list changes."""


@policy.command()
@common
@click.argument("folder", metavar="[DIR]", required=False, type=_FOLDER)
@click.pass_context
def check(context: click.Context, home: str | None, folder: Path | None, *, as_json: bool) -> None:
    """Check the policies in force, or with those of DIR. Exit code 1 when something is wrong."""
    settings = settings_of(home).policy
    settings = settings if folder is None else replace(settings, folder=folder)
    texts = texts_with(settings.folder)
    problems, rules = checked(texts)
    found = None if problems else load_policy(settings)
    purposes = () if found is None else found.every_purpose
    version = "" if found is None else found.version
    if as_json:
        listed = [{"file": one.file, "line": one.line, "policy": one.policy, "what": one.what} for one in problems]
        opened = {one.code: sorted(one.opens) for one in purposes}
        told = {"sound": not problems, "problems": listed, "policies": len(rules), "sha256": texts.digest}
        write_json(told | {"purposes": opened, "version": version})
    else:
        for problem in problems:
            click.echo(str(problem))
        for one in purposes:
            click.echo(f"purpose {one.code} opens {', '.join(sorted(one.opens)) or 'nothing'}")
        click.echo(f"{len(rules)} policies are in order, {len(problems)} problems; SHA-256 {texts.digest}")
        if version:
            click.echo(f"version {version}")
    context.exit(FOUND_WRONG if problems else 0)


def _several(option: str, kind: type[StrEnum], what: str) -> Callable[[F], F]:
    choice = click.Choice([member.value for member in kind])
    return click.option(f"--{option}", multiple=True, type=choice, help=f"{what} May be repeated.")


@policy.command()
@common
@click.option("--purpose", help="Its code. Left out: one's own card.")
@_several("role", Role, "A role of who asks.")
@_several("category", Category, "A kind of record asked for.")
@_several("tier", Tier, "A mark among the records.")
@_several("relation", Relation, "How the person is related to who asks.")
@click.option("--case", default="", help="Case reference.")
@click.option("--note", default="", help="What it is for, in words.")
@click.option("--approvals", default=0, type=click.IntRange(0), help="Approvals given.")
@click.option("--approvals-other-unit", default=0, type=click.IntRange(0), help="Of those, by another unit.")
@click.option("--own", is_flag=True, help="The person is who asks.")
@click.option("--step-up", is_flag=True, help="Signed in strongly and lately.")
@click.option("--break-glass", is_flag=True, help="Opened in an emergency.")
@click.option("--quota-exceeded", is_flag=True, help="The limit is used up.")
@click.option("--cooling-exceeded", is_flag=True, help="The lower limit of a new principal is used up.")
@click.option("--folder", type=_FOLDER, help="Policies of this folder instead of those of config.toml.")
def explain(home: str | None, *, as_json: bool, **asked: Any) -> None:
    """Say how one request would be decided, and by which policies. Reads no record."""
    settings = settings_of(home).policy
    in_force = load_policy(settings if asked["folder"] is None else replace(settings, folder=asked["folder"]))
    if asked["purpose"] is not None and asked["purpose"] not in in_force.codes:
        raise click.BadParameter(f"one of: {', '.join(sorted(in_force.codes))}", param_hint="--purpose")
    decision = _decision(in_force, asked)
    refused = isinstance(decision, Denial)
    told = {
        "decision": "denied" if refused else "permitted",
        "reason": decision.reason if isinstance(decision, Denial) else "",
        "form": "" if isinstance(decision, Denial) else decision.form.value,
        "rules": [{"id": one, "file": _file(in_force, one)} for one in decision.rules],
        "policy": in_force.version,
    }
    if as_json:
        write_json(told)
        return
    click.echo(f"denied: {told['reason']}" if refused else f"permitted, {told['form']}")
    for one in decision.rules:
        click.echo(f"  {one} ({_file(in_force, one)})")
    click.echo(in_force.version)


@policy.command()
@common
def changes(home: str | None, *, as_json: bool) -> None:
    """List which policies were in force since which entry, newest first."""
    with registry_to_inspect(home) as application:
        found = application.policy_changes.listing()
    documents = [
        {
            "entry": one.index,
            "at": iso(from_unix_ms(one.unix_ms)),
            "operator": one.operator,
            "before": one.before or None,
            "after": one.after,
        }
        for one in found
    ]
    if as_json:
        write_json(documents)
        return
    for one in documents:
        click.echo(f"entry {one['entry']}  {one['at']}  {one['after']}  by {one['operator']}")


@policy.command()
@common
def controls(home: str | None, *, as_json: bool) -> None:
    """List which settings of approvals, emergencies, brakes and witnesses changed, from what to what, newest first."""
    with registry_to_inspect(home) as application:
        found = application.policy_changes.controls_listing()
    documents = [
        {
            "entry": one.index,
            "at": iso(from_unix_ms(one.unix_ms)),
            "operator": one.operator,
            "changed": [each._asdict() for each in one.changed],
        }
        for one in found
    ]
    if as_json:
        write_json(documents)
        return
    for one in found:
        click.echo(f"entry {one.index}  {iso(from_unix_ms(one.unix_ms))}  by {one.operator}")
        for each in one.changed:
            click.echo(f"  {each.setting}: {each.before or 'not known'} -> {each.after or 'not known'}")


def _decision(in_force: Policy, asked: Mapping[str, Any]) -> Decision:
    principal = Principal(PrincipalId("asker"), "asker", frozenset(map(Role, asked["role"])))
    categories = [Category(one) for one in asked["category"]]
    facts = Facts(
        asked=frozenset(categories),
        records=tuple(RecordFacts(RecordId(tier), one, Tier(tier)) for tier in asked["tier"] for one in categories),
        is_own_record=asked["own"],
        relations=frozenset(map(Relation, asked["relation"])),
        **{name: asked[name] for name in ("approvals", "approvals_other_unit", "break_glass", "step_up")},
        **{name: asked[name] for name in ("quota_exceeded", "cooling_exceeded")},
    )
    if asked["purpose"] is None:
        return in_force.decide_own(principal, facts)
    return in_force.decide(principal, Purpose(PurposeCode(asked["purpose"]), asked["case"], asked["note"]), facts)


def _file(in_force: Policy, rule: str) -> str:
    found = in_force.rule(rule)
    return "no policy applies" if found is None else f"{found.file}:{found.line}"
