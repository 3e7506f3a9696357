"""principal list, principal grant, token."""

from __future__ import annotations

import click

from registry.bootstrap import Application, operator
from registry.cli.checking import UNIT, demand, plain
from registry.cli.common import common, registry_at, write_json
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.identity.dev_issuer import STRONG
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.text.rules.employee_number import employee_number_problem

_ROLES = [role.value for role in Role]


@click.group()
def principal() -> None:
    """List principals and grant roles."""


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
def grant(
    home: str | None,
    issuer: str,
    sub: str,
    roles: tuple[str, ...],
    employee_number: str | None,
    unit: str,
    *,
    as_json: bool,
) -> None:
    """Make sure that a principal has these roles; an entry names you as the operator."""
    demand(
        ("--issuer", issuer, plain),
        ("--sub", sub, plain),
        ("--employee-number", employee_number, employee_number_problem),
        ("--unit", unit or None, UNIT),
    )
    wanted = Grant(issuer, sub, frozenset(Role(role) for role in roles), employee_number, unit)
    with registry_at(home) as application:
        identifier = application.principals.ensure(wanted, operator=operator())
        _warn_of_nobody(application, employee_number)
    if as_json:
        write_json({"principal": identifier, "issuer": issuer, "sub": sub, "roles": sorted(roles)})
    else:
        click.echo(f"{issuer}#{sub} is principal {identifier}.")


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
