"""principal list, grant, move, leave and report; token."""

from __future__ import annotations

import click

from registry.bootstrap import Application, operator
from registry.cli.checking import UNIT, demand, plain
from registry.cli.common import common, registry_at, write_json
from registry.domain.clock import SystemClock
from registry.domain.ids import PrincipalId, is_id
from registry.domain.principals import Role
from registry.identity.dev_issuer import STRONG
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.entry_reading import ReadEntry
from registry.services.leaver_report import ReportAsk, told
from registry.services.principals import LEAVE, Grant, Move
from registry.services.read_audit import MAX_PAGE
from registry.text.moments import moment_ms
from registry.text.rules.employee_number import employee_number_problem

_ROLES = [role.value for role in Role]
_ID_LENGTH = 32


@click.group()
def principal() -> None:
    """Who may act: list, grant, move, leave, report."""


@principal.command("list")
@common
def list_principals(home: str | None, *, as_json: bool) -> None:
    """List every principal with its roles."""
    with registry_at(home) as application:
        rows = application.principals.listing()
    documents = [
        {
            "principal": row.id,
            "issuer": row.issuer,
            "sub": row.sub,
            "roles": sorted(row.roles),
            "unit": row.unit,
            "state": row.state,
        }
        for row in rows
    ]
    if as_json:
        write_json(documents)
        return
    for row in rows:
        click.echo(f"{row.id}  {row.state:8} {row.issuer}#{row.sub}  {' '.join(sorted(row.roles))}")


@principal.command()
@common
@click.option("--issuer", default=DEVELOPMENT_ISSUER, show_default=True, help="Issuer of the principal's tokens.")
@click.option("--sub", required=True, help="Subject claim of the principal's tokens.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="May be repeated.")
@click.option("--employee-number", help="The principal's own employee number.")
@click.option("--unit", default="", help="Organisational unit.")
@click.option("--supervisor", help="Employee number of the principal's supervisor.")
def grant(
    home: str | None,
    issuer: str,
    sub: str,
    roles: tuple[str, ...],
    employee_number: str | None,
    unit: str,
    supervisor: str | None,
    *,
    as_json: bool,
) -> None:
    """Make sure that a principal has these roles; an entry names you as the operator."""
    demand(
        ("--issuer", issuer, plain),
        ("--sub", sub, plain),
        ("--employee-number", employee_number, employee_number_problem),
        ("--unit", unit or None, UNIT),
        ("--supervisor", supervisor, employee_number_problem),
    )
    wanted = Grant(issuer, sub, frozenset(Role(role) for role in roles), employee_number, unit, supervisor)
    with registry_at(home) as application:
        identifier = application.principals.ensure(wanted, operator=operator())
        _warn_of_nobody(application, employee_number)
    if as_json:
        write_json({"principal": identifier, "issuer": issuer, "sub": sub, "roles": sorted(roles)})
    else:
        click.echo(f"{issuer}#{sub} is principal {identifier}.")


@principal.command()
@common
@click.argument("identifier", metavar="ID")
@click.option("--unit", help="Its unit from now on; empty for none.")
@click.option("--supervisor", help="Employee number of its supervisor from now on; empty for none.")
@click.option("--role", "roles", multiple=True, type=click.Choice(_ROLES), help="All its roles from now on. Repeat.")
def move(
    home: str | None,
    identifier: str,
    unit: str | None,
    supervisor: str | None,
    roles: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Change unit, supervisor or roles of a principal; what is left out stays."""
    demand(("--unit", unit or None, UNIT), ("--supervisor", supervisor or None, employee_number_problem))
    if unit is None and supervisor is None and not roles:
        raise click.UsageError("give at least one of --unit, --supervisor and --role")
    wanted = Move(frozenset(Role(role) for role in roles) if roles else None, unit, supervisor)
    _change(home, identifier, wanted, as_json=as_json)


@principal.command()
@common
@click.argument("identifier", metavar="ID")
def leave(home: str | None, identifier: str, *, as_json: bool) -> None:
    """Take every role of a principal away, at once and everywhere."""
    _change(home, identifier, LEAVE, as_json=as_json)


def _change(home: str | None, identifier: str, wanted: Move, *, as_json: bool) -> None:
    demand(("ID", identifier, _identifier))
    with registry_at(home) as application:
        row = application.principals.change(PrincipalId(identifier), wanted, operator=operator())
    if as_json:
        write_json({"principal": row.id, "roles": sorted(row.roles), "unit": row.unit, "state": row.state})
    else:
        click.echo(f"{row.issuer}#{row.sub} is {row.state}: {' '.join(sorted(row.roles)) or 'no roles'}.")


@principal.command()
@common
@click.argument("identifier", metavar="ID")
@click.option("--since", help="A day, or a moment with an offset; everything when left out.")
def report(home: str | None, identifier: str, since: str | None, *, as_json: bool) -> None:
    """List what a principal did and saw, newest first: entries, subjects, categories and purposes, no values."""
    demand(("ID", identifier, _identifier))
    since_ms = 0 if since is None else moment_ms(since)
    if since_ms is None:
        raise click.UsageError("--since not_a_moment")
    entries: list[ReadEntry] = []
    before: int | None = None
    with registry_at(home) as application:
        while True:
            ask = ReportAsk(PrincipalId(identifier), since_ms, before, MAX_PAGE)
            page = application.leaver_report.printed(ask, operator=operator())
            entries += page.entries
            before = page.before
            if before is None:
                break
    if as_json:
        write_json({"principal": identifier, "entries": [told(entry) for entry in entries]})
        return
    for entry in entries:
        shown = told(entry)
        texts = (shown["at"], shown["kind"], shown["result"], shown["purpose"] or "-")
        click.echo("  ".join((*texts, " ".join(shown["categories"]) or "-", " ".join(shown["subjects"]) or "-")))


def _identifier(text: str) -> str | None:
    return None if is_id(text) and len(text) == _ID_LENGTH else "id_form"


@click.command()
@common
@click.option("--sub", required=True, help="Name of the principal; made if it is not there.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="May be repeated.")
@click.option("--employee-number", help="The principal's own employee number.")
@click.option("--ttl", type=click.IntRange(1, 3600), default=3600, show_default=True, help="Seconds it is good for.")
@click.option("--no-step-up", is_flag=True, help="As from a weak sign-in: what needs a strong one is refused.")
def token(
    home: str | None,
    sub: str,
    roles: tuple[str, ...],
    employee_number: str | None,
    ttl: int,
    *,
    no_step_up: bool,
    as_json: bool,
) -> None:
    """Print a signed token. Development profile only; works while the server runs."""
    demand(("--sub", sub, plain), ("--employee-number", employee_number, employee_number_problem))
    wanted = frozenset(Role(role) for role in roles)
    with registry_at(home) as application:
        issuer = application.development_issuer()
        acr = None if no_step_up else STRONG
        text = issuer.issue(sub, wanted, ttl_seconds=ttl, now=SystemClock().now(), acr=acr)
        application.principals.ensure(Grant(DEVELOPMENT_ISSUER, sub, wanted, employee_number), operator=operator())
        _warn_of_nobody(application, employee_number)
    if as_json:
        write_json({"token": text, "sub": sub, "roles": sorted(roles), "expires_in": ttl})
    else:
        click.echo(text)


def _warn_of_nobody(application: Application, employee_number: str | None) -> None:
    # Done all the same: an account may be made before its owner is enrolled. The number is not repeated.
    if employee_number is not None and not application.principals.is_enrolled(employee_number):
        click.echo("registry: nobody enrolled has that employee number (yet); until then it links to nobody", err=True)
