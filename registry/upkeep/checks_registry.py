"""Checks of an opened registry: who may be answered, on which address, and whether ledger and backups are sound."""

from __future__ import annotations

import ipaddress
import os
from datetime import datetime, timedelta
from pathlib import Path

from registry.audit.check_run import check_chunk
from registry.audit.high_water import Standing, mark_of
from registry.audit.log import CLOCK_TOLERANCE_MS
from registry.bootstrap import Application
from registry.domain.clock import unix_ms
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.services.index_change import standing_of
from registry.services.ports_notices import DEAD
from registry.settings import DEVELOPMENT, NO_SECURITY_CONTACT
from registry.storage.account import account_of
from registry.storage.high_water import HighWaterFile
from registry.upkeep.checks import Finding, Plan
from registry.upkeep.checks_home import demand_private
from registry.upkeep.manifest import parse_manifest

_LATE_ROUNDS = 3


def profile(application: Application, plan: Plan) -> str:
    if application.profile != DEVELOPMENT:
        return "production"
    if application.settings.issuers:
        raise Finding(
            "the development profile, with issuers of real tokens",
            "make a registry with: registry init --profile production",
        )
    if not _is_loopback(plan.host):
        raise Finding(
            f"the development profile, to listen on {plan.host}: anybody here can make tokens for any role",
            "serve it on 127.0.0.1, or make a registry with: registry init --profile production",
        )
    return "development, on loopback: for trying out, never for real records"


def issuers(application: Application, _plan: Plan) -> str:
    if application.profile != DEVELOPMENT and not application.settings.issuers:
        raise Finding("no issuer of tokens, so nobody can be answered", "name one under [[issuers]] in config.toml")
    return f"{len(application.settings.issuers)} in config.toml"


def contact(application: Application, _plan: Plan) -> str:
    if application.settings.security_contact != NO_SECURITY_CONTACT:
        return "a security contact is published"
    if application.profile == DEVELOPMENT:
        return "none is set; in production one is wanted"
    raise Finding("security.txt names an address that nobody owns", "set security_contact in config.toml")


def user(application: Application, _plan: Plan) -> str:
    if application.profile != DEVELOPMENT and os.geteuid() == 0:
        raise Finding("runs as root", "run it as a user of its own that owns the home folder")
    return f"user id {os.geteuid()}"


def clock(application: Application, _plan: Plan) -> str:
    with application.database.reader() as reader:
        last = reader.head().last_ms
    behind = last - unix_ms(application.kernel.clock.now())
    if behind > CLOCK_TOLERANCE_MS:
        raise Finding(
            f"this machine's clock is {behind // 1000} s behind the newest entry",
            "set the clock; never edit the ledger",
        )
    return f"the newest entry is {max(0, -behind) // 1000} s old"


def notices(application: Application, _plan: Plan) -> str:
    counts, senders = application.notices.counts(), application.notices.senders
    for sender in senders:
        if problem := sender.problem():
            raise Finding(problem, "mend what [notify] names", serves=True)
    dead = sum(number for (_, state), number in counts.items() if state == DEAD)
    if dead:
        raise Finding(
            f"{dead} notices were given up",
            "mend what [notify] names, then: registry notices send --again",
            serves=True,
        )
    stranded = sorted({channel for channel, _ in counts} - {sender.name for sender in senders})
    if stranded:
        raise Finding(
            f"notices wait for a way out that is not set: {', '.join(stranded)}",
            "set it under [notify] in config.toml, so that they are sent",
            serves=True,
        )
    if not senders:
        return "none are sent: nothing is set under [notify]"
    return f"{sum(counts.values())} wait to be sent"


def head(application: Application, _plan: Plan) -> str:
    with application.database.reader() as reader:
        head = reader.head()
    try:
        mark_of(head, application.signing)
    except ProofRejected as error:
        raise Finding(f"the ledger's head is not ours: {error}", "keep the files; registry audit verify") from None
    return f"signed over {head.size} entries"


def entries(application: Application, plan: Plan) -> str:
    with application.database.reader() as reader:
        size = reader.head().size
        start = max(0, size - plan.entries)
        rows = list(reader.scan(start, size))
        beyond = next(iter(reader.scan(size, size + 1)), None)
    checked = check_chunk(application.kernel.log, start, rows)
    fault = checked.fault
    if fault is None and len(rows) < size - start:
        fault = (start + len(rows), "it is missing")
    if fault is None and beyond is not None:
        fault = (beyond.index, "it stands beyond the head")
    if fault is not None:
        raise Finding(f"entry {fault[0]}: {fault[1]}", "keep the files; registry audit verify")
    return f"the newest {len(rows)} say what their leaves commit to; registry audit verify checks all {size}"


def index_terms(application: Application, _plan: Plan) -> str:
    with application.database.read() as work:
        now = standing_of(work)
    if now.next_step:
        what, _, mend = now.next_step.rpartition("; run: ")
        raise Finding(f"the blind index: {what}", mend, serves=True)
    return f"made by terms of version {now.terms}, those of this program"


def high_water(application: Application, _plan: Plan) -> str:
    file = HighWaterFile(application.settings.ledger)
    compared = application.compare_high_water()
    if compared.standing is not Standing.FOLLOWS or compared.mark is None:
        raise Finding(compared.what, "put the newest copy back; is it lost, registry audit recover")
    demand_private(file.path)
    return f"{compared.mark.size} of {compared.head.size} entries are under the mark"


def policies(application: Application, _plan: Plan) -> str:
    known = application.policy_changes.in_force()
    if known is None:
        raise Finding("no entry says which policies are in force", "start the server: it writes one", serves=True)
    if known.version != application.kernel.policy.version:
        raise Finding(
            f"the policies of config.toml are not those in force since entry {known.entry}",
            "restart the server: it decides by them then, and writes an entry of the change",
            serves=True,
        )
    if not application.policy_changes.controls_noted():
        raise Finding(
            "approvals, brakes or witnesses are set otherwise than the ledger knows",
            "restart the server: it goes by them then, and writes an entry of the change",
            serves=True,
        )
    return f"those of config.toml are in force, since entry {known.entry}"


def witnesses(application: Application, _plan: Plan) -> str:
    panel = application.witnesses
    if panel is None:
        return "there are none: who runs this machine could rewrite the ledger, and no other would notice"
    for name, cause in panel.contradictions().items():
        raise Finding(
            f"witness {name} has seen another ledger: {cause}",
            "keep every file; put the newest database back, or find out who changed it",
        )
    for one in application.suspected:
        for name, seen in panel.misused(one.term).items():
            raise Finding(
                f"the compromised key {one.term.pair.key.key_id.hex()} signed {seen.size} entries that are not of this"
                f" ledger, and witness {name} cosigned them",
                "keep what the witness shows, it is evidence; have its operator take that key out of its policy",
                serves=True,
            )
    standing = panel.standing(application.kernel.clock)
    told = f"{standing.lag_entries} entries were not seen by a quorum"
    silent = "".join(f"; {name}: {what}" for name, what in standing.failures.items())
    if panel.is_late(standing):
        raise Finding(told + silent, "registry audit witness ask; ask who runs the witness", serves=True)
    return told + silent


def anchors(application: Application, _plan: Plan) -> str:
    stamping = application.anchors
    if stamping is None:
        return "none are set: nothing but witnesses says when an entry was there"
    mend = "registry audit anchor says which authority fails and why"
    try:
        newest = stamping.newest()
    except ProofRejected as error:
        raise Finding(f"a time-stamp that is kept does not verify: {error}", "mend ca_file; keep the files") from None
    if newest is None:
        raise Finding("no checkpoint was ever time-stamped", mend, serves=True)
    age = (application.kernel.clock.now() - newest[1]).total_seconds()
    if age > _LATE_ROUNDS * stamping.every_seconds:
        raise Finding(f"the newest time-stamp is {age // 60:.0f} minutes old", mend, serves=True)
    return f"{newest[0]} entries were time-stamped at {newest[1]:%Y-%m-%d %H:%M} UTC"


def reviews(application: Application, _plan: Plan) -> str:
    late = application.review_sample.late()
    if late:
        told = ", ".join(f"{count} of {week}" for week, count in late.items())
        raise Finding(
            f"lookups drawn for review wait for it: {told}", "GET /v1/audit/sample, by an auditor", serves=True
        )
    return "no week's sample of lookups is overdue"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def transport(application: Application, plan: Plan) -> str:
    if application.profile == DEVELOPMENT or _is_loopback(plan.host):
        return f"listens on {plan.host}, without TLS: what other machines speak to must end it"
    if _is_public(plan.host):
        raise Finding(
            f"would serve tokens and values in the clear on {plan.host}, an address of the open net",
            "serve on 127.0.0.1 or on a network of its own, behind a proxy that ends TLS",
        )
    return f"listens on {plan.host}, without TLS: let nothing reach it but the proxy that ends TLS"


def account(application: Application, _plan: Plan) -> str:
    found = account_of(application.database)
    if found is None:
        return "the database is a file of this user's"
    behind = abs(found.clock_ms - unix_ms(application.kernel.clock.now()))
    if behind > CLOCK_TOLERANCE_MS:
        raise Finding(f"the clocks of database and this machine are {behind // 1000} s apart", "set the clocks")
    if found.lacks:
        raise Finding(f"{found.name} lacks rights on {', '.join(found.lacks)}", "registry database-roles, as the owner")
    if application.profile == DEVELOPMENT:
        return f"serves as {found.name}"
    if found.powers:
        raise Finding(
            f"serves as {found.name}, which {' and '.join(found.powers)}",
            "serve as an account that is a member of registry_application only",
        )
    if not found.is_private:
        raise Finding("speaks to the database over the network without TLS", "add ?sslmode=verify-full to its address")
    return f"serves as {found.name}, which can change no entry and drop no trigger"


def backups(application: Application, plan: Plan) -> str:
    if plan.backups is None:
        return "not looked at; give --backups DIR"
    made = [
        made for folder in _folders(plan.backups) if (made := _made(folder, application.kernel.registry)) is not None
    ]
    mend = "registry backup, every day; and try a restore"
    if not made:
        raise Finding(f"no backup of this registry is in {plan.backups}", mend)
    age = application.kernel.clock.now() - max(made)
    if age > timedelta(hours=plan.backup_hours):
        raise Finding(f"the newest backup is {age // timedelta(hours=1)} hours old", mend)
    return f"the newest of {len(made)} is {age // timedelta(hours=1)} hours old"


def _folders(backups: Path) -> list[Path]:
    return [backups, *sorted(path for path in backups.iterdir() if path.is_dir())]


def _made(folder: Path, registry: str) -> datetime | None:
    """Return when a backup of this registry was made; None for anything else. Its files are not read."""
    try:
        manifest = parse_manifest(folder)
        return datetime.fromisoformat(manifest.made) if manifest.registry == registry else None
    except (MisconfiguredHome, ValueError):
        return None


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False
