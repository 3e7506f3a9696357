"""The ``registry`` command. Subcommands are imported when they are called, so that help stays quick."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

import registry

# name -> (module, attribute, one line of help)
_COMMANDS = {
    "init": ("setup", "init", "Make a new registry in the home folder."),
    "serve": ("setup", "serve", "Serve the API on this machine."),
    "migrate": ("setup", "migrate", "Bring the database to the newest revision."),
    "database-clear": ("database_clear", "database_clear", "Leave nothing erased in PostgreSQL's files."),
    "database-roles": ("database_roles", "database_roles", "Give PostgreSQL's roles their rights."),
    "key-service": ("key_service", "key_service", "Print what OpenBao needs to serve the keys."),
    "keys": ("keys", "keys", "Say how the keys stand; exchange them, and destroy those that are past."),
    "doctor": ("examining", "doctor", "Check this deployment and say what to mend."),
    "backup": ("backing_up", "backup", "Copy the database while it is in use; never the keys."),
    "restore": ("backing_up", "restore", "Verify a backup and put its database in place."),
    "principal": ("principals", "principal", "List principals and grant roles."),
    "token": ("principals", "token", "Print a token (development profile only)."),
    "policy": ("policy", "policy", "Check policies; explain a decision."),
    "import": ("importing", "import_people", "Enroll people from an NDJSON or CSV file."),
    "disclose": ("disclosing", "disclose", "Look a person up for a stated purpose."),
    "erase": ("erasing", "erase", "Take somebody out of the registry for good."),
    "trace": ("tracing", "trace", "Find protected values in a text, and who was served them."),
    "case": ("cases", "case", "Keep the case of a trace: notes, replies, how it stands, what is seen later."),
    "trace-name": ("trace_acts", "trace_name", "Name the account that a trace calls strong or more."),
    "trace-draws": ("trace_acts", "trace_draws", "Open what was drawn for copies, for a defence."),
    "notices": ("notices", "notices", "Send what waits in the outbox, and list it."),
    "release-check": ("releasing", "release_check", "Find protected values in a document before it is published."),
    "audit": ("auditing", "audit", "Verify the ledger, have it witnessed, review lookups, go on after a loss."),
    "verify-bundle": ("auditing", "verify_bundle", "Verify an evidence bundle offline."),
    "drill": ("drilling", "drill", "Leak made-up records from served copies, and score the tracer."),
    "demo": ("demonstration", "demo", "Run the whole story on made-up people."),
}
_INTERRUPTED = 130  # as shells say it: 128 and the signal's number


class RegistryGroup(click.Group):
    """Imports a subcommand's module when it is needed, and ends every failure in one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the parameters are click's
        """Return the names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above, click's
        """Import and return one command."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f"registry.cli.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above, click's
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(_INTERRUPTED)
        except BrokenPipeError:
            # Whoever read the output has left; what is buffered must not be written to a closed pipe at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except Exception as error:  # noqa: BLE001 - the last catch: a traceback could show what was being worked on
            from registry.cli.failures import exit_with  # noqa: PLC0415 - only needed when something failed

            ctx.exit(exit_with(error))


@click.group(cls=RegistryGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", help="Folder of the registry; else REGISTRY_HOME, else ~/.local/share/registry.")
@click.version_option(registry.__version__, prog_name="registry")
@click.pass_context
def main(context: click.Context, home: str | None) -> None:
    """Keep protected records encrypted, and every lookup of them in a ledger.

    Every command takes --home DIR and --json. Exit codes: 0 done; 1 a check or an import found something wrong;
    2 wrong use; 3 not available.
    """
    context.obj = {"home": home}
