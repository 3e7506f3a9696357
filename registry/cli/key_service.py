"""key-service: what an administrator of OpenBao is to set up for this registry."""

from __future__ import annotations

import click

from registry.cli.common import common, settings_of, write_json
from registry.domain.errors import MisconfiguredHome
from registry.keys.openbao.rights import auditor_policy, policy, set_up_script
from registry.keys.openbao.settings import KeyServiceSettings


@click.group("key-service")
def key_service() -> None:
    """Print what OpenBao needs to serve this registry's keys; asks nobody and changes nothing."""


@key_service.command("setup")
@common
def setup(home: str | None, *, as_json: bool) -> None:
    """Print the commands that make keys, policy and role, and write a secret id."""
    _print("setup", set_up_script(_service(home)), as_json=as_json)


@key_service.command("policy")
@common
def show_policy(home: str | None, *, as_json: bool) -> None:
    """Print the policy of the registry's role: what it needs, and nothing else."""
    _print("policy", policy(_service(home)), as_json=as_json)


@key_service.command("auditor-policy")
@common
@click.option("--device", default="file", help="Path of the audit device.")
def show_auditor_policy(home: str | None, device: str, *, as_json: bool) -> None:
    """Print the policy of who runs ``keys reconcile``: to ask how a text stands in the audit log."""
    _service(home)
    _print("policy", auditor_policy(device.strip("/")), as_json=as_json)


def _service(home: str | None) -> KeyServiceSettings:
    service = settings_of(home).key_service
    if not isinstance(service, KeyServiceSettings):
        raise MisconfiguredHome(
            'OpenBao does not keep the keys of this registry; see provider = "openbao" in docs/operations.md'
        )
    return service


def _print(what: str, text: str, *, as_json: bool) -> None:
    if as_json:
        write_json({what: text})
    else:
        click.echo(text, nl=False)
