"""The ``registry`` command. Subcommands are imported when they are called, so that help stays quick."""

from __future__ import annotations

import sys
from importlib import import_module

import click

import registry
from registry.cli.failures import exit_with
from registry.domain.errors import RegistryError

# name -> (module, attribute, one line of help)
_COMMANDS = {
    "init": ("setup", "init", "Make a new registry in the home folder."),
    "serve": ("setup", "serve", "Serve the API on this machine."),
    "migrate": ("setup", "migrate", "Bring the database to the newest revision."),
    "principal": ("principals", "principal", "List principals and grant roles."),
    "token": ("principals", "token", "Print a token (development profile only)."),
    "import": ("importing", "import_people", "Enroll people from an NDJSON or CSV file."),
    "disclose": ("disclosing", "disclose", "Look a person up for a stated purpose."),
    "trace": ("tracing", "trace", "Find protected values in a text, and who was served them."),
    "audit": ("auditing", "audit", "Verify the ledger; print its checkpoint."),
    "verify-bundle": ("auditing", "verify_bundle", "Verify an evidence bundle offline."),
    "demo": ("demonstration", "demo", "Run the whole story on made-up people."),
}


class LazyGroup(click.Group):
    """Imports a subcommand's module when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f"registry.cli.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", help="Folder of the registry; else REGISTRY_HOME, else ~/.local/share/registry.")
@click.version_option(registry.__version__, prog_name="registry")
@click.pass_context
def command(context: click.Context, home: str | None) -> None:
    """Keep protected records encrypted, and every lookup of them in a ledger.

    Every command takes --home DIR and --json. Exit codes: 0 done; 1 a check or an import found something wrong;
    2 wrong use; 3 not available.
    """
    context.obj = {"home": home}


def main() -> None:
    """Run the command line."""
    try:
        command(prog_name="registry")
    except RegistryError as error:
        sys.exit(exit_with(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
