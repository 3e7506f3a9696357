"""The group `audit`: verify, fsck, checkpoint, recover, compromise; and the command `verify-bundle`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import click

from registry.audit.check_run import ChunkChecked, check_chunk, check_leaves
from registry.audit.kinds import OF_REMOVALS
from registry.audit.ports import EntryReader
from registry.audit.verify import SUBJECTS, Verified, spans
from registry.bootstrap import Application, inspected
from registry.cli.accounting import accounting
from registry.cli.answered import answered
from registry.cli.checking import NOTE, demand
from registry.cli.common import Progress, common, registry_at, registry_to_inspect, write_json
from registry.cli.entries import entries
from registry.cli.failures import FOUND_WRONG
from registry.cli.pruning import prune
from registry.cli.sampling import review, sample
from registry.cli.witnessing import witness
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import LedgerCorrupt, MisconfiguredHome, ProofRejected
from registry.domain.ids import SubjectId
from registry.services.anchors import check_stamps
from registry.services.compromises import Compromise
from registry.settings import Settings
from registry.text.moments import moment_ms
from registry.transparency.cosignature import format_cosigner
from registry.transparency.note import format_vkey
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.terms import KeyPair
from registry.upkeep.compromise import replace_key
from registry.upkeep.fsck import Fault, faults_of
from registry.upkeep.leaf_pool import checked_together
from registry.upkeep.recover import recover as recover_ledger

# Below these, starting processes, which takes as long as 20,000 entries or 100,000 leaves, costs more than it saves.
PARALLEL_FROM = 40_000
_LEAVES_PARALLEL_FROM = 300_000


@click.group()
def audit() -> None:
    """Verify the ledger; print its checkpoint; have it witnessed; go on after loss or theft; review lookups by lot."""


audit.add_command(sample)
audit.add_command(review)
audit.add_command(entries)
audit.add_command(accounting)
audit.add_command(prune)
audit.add_command(answered)


@audit.command()
@common
@click.option("--workers", type=click.IntRange(1, 64), help="Processes to use; else one a core.")
@click.option("--tree", "only_tree", is_flag=True, help="Check leaves, tree and checkpoint alone; much faster.")
@click.pass_context
def verify(context: click.Context, home: str | None, workers: int | None, *, only_tree: bool, as_json: bool) -> None:
    """Recompute everything from the stored rows and name the first bad entry."""
    many = workers or os.cpu_count() or 1
    try:
        with registry_to_inspect(home) as application:
            found = verify_tree(application, many) if only_tree else verify_ledger(application, many)
            silences = [one for one in found.silences if application.heartbeat.is_silence(one[0])]
    except LedgerCorrupt as error:
        _say_corrupt(error, as_json=as_json)
        context.exit(FOUND_WRONG)
    if as_json:
        told = {
            "verified": True,
            "checked": "tree" if only_tree else "everything",
            "origin": found.origin,
            "size": found.size,
            "root": found.root.hex(),
            "subjects": found.subjects,
            "silences": [{"before_entry": entry, "seconds": lasted // 1_000} for lasted, entry in silences],
        }
        write_json(told)
    else:
        click.echo(_said_of(found, only_tree=only_tree))
        click.echo(f"origin {found.origin}\nroot   {found.root.hex()}")
        for lasted, entry in silences:
            click.echo(f"silent for {lasted // 1_000} s before entry {entry}: was nothing served then?")


def _said_of(found: Verified, *, only_tree: bool) -> str:
    if only_tree:
        return (
            f"{found.size} leaves verified: form, order, times, tree, checkpoint\n"
            "not checked: what entries say, people's chains, rows; that is `audit verify` without --tree"
        )
    chains = "1 subject's chain" if found.subjects == 1 else f"{found.subjects} subjects' chains"
    return f"{found.size} entries verified: leaves, openings, tree, checkpoint, {chains}"


def verify_tree(application: Application, workers: int, parallel_from: int = _LEAVES_PARALLEL_FROM) -> Verified:
    """Verify leaves, tree and checkpoint alone: what everybody can check who has the leaves and the key.

    Args:
        application: the opened registry.
        workers: how many processes.
        parallel_from: entries from which on processes are started.

    Raises:
        LedgerCorrupt: with the first bad leaf.
    """
    with ExitStack() as stack:
        work = stack.enter_context(application.database.read())
        head = work.entries.head()
        others, told = workers - 1 if head.size >= parallel_from else 0, Progress("leaves")
        given = (partial(_check_leaves, application), application.settings.database_url, spans(head.size), others)
        checked = stack.enter_context(closing(checked_together(*given)))
        found = application.ledger_verifier.verify(head, checked, told)
        told.close()
        application.ledger_verifier.check_tail(work.entries, found)
    return found


def verify_ledger(
    application: Application, workers: int, parallel_from: int = PARALLEL_FROM, again: int = 2
) -> Verified:
    """Verify a whole ledger on several cores.

    Args:
        application: the opened registry.
        workers: how many processes; one does everything in this process.
        parallel_from: entries from which on processes are started.
        again: so often it is begun anew when openings were removed meanwhile, whose entries came too late for it.

    Raises:
        LedgerCorrupt: with the first bad entry.
    """
    with application.database.reader() as reader:
        size = reader.head().size
    try:
        return _verified(application, workers, parallel_from)
    except LedgerCorrupt:
        if not again or not _was_removed_since(application, size):
            raise
    return verify_ledger(application, workers, parallel_from, again - 1)


def _was_removed_since(application: Application, size: int) -> bool:
    with application.database.reader() as reader:
        return any(reader.leaves_of(kind, size, reader.head().size) for kind in OF_REMOVALS)


def _verified(application: Application, workers: int, parallel_from: int) -> Verified:
    with ExitStack() as stack:
        work = stack.enter_context(application.database.read())
        head = work.entries.head()
        runs = _runs(stack, application, workers if head.size >= parallel_from else 1)
        entries, people = Progress("entries"), Progress("people")
        found = application.ledger_verifier.verify(head, runs.entries(spans(head.size)), entries)
        entries.close()
        for done, count in enumerate(runs.people(_people(application, work.entries, found)), start=1):
            people(done * SUBJECTS if count == SUBJECTS else found.subjects, found.subjects)
        people.close()
        application.ledger_verifier.check_tail(work.entries, found)
        application.row_check.check_index(work, found.telling)
        application.row_check.check_standing(work, found.standing)
    return found


class _Runs(NamedTuple):
    """What checks runs of entries and groups of people: here or in other processes."""

    entries: Callable[[Iterable[Any]], Iterator[Any]]
    people: Callable[[Iterable[Any]], Iterator[Any]]


def _runs(stack: ExitStack, application: Application, workers: int) -> _Runs:
    if workers == 1:
        return _Runs(*(partial(map, partial(check, application)) for check in _CHECKS))
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _open_worker, (application.settings,))
    stack.callback(pool.shutdown, cancel_futures=True)  # after a fault or Ctrl-C, runs that wait are not begun
    return _Runs(*(partial(pool.map, partial(_check_in_worker, at)) for at in range(len(_CHECKS))))


_worker: list[Application] = []


def _open_worker(settings: Settings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all: the parent ends this one
    _worker.append(inspected(settings).__enter__())


def _check_in_worker(check: int, given: Any) -> Any:
    return _CHECKS[check](_worker[0], given)


def _check_entries(application: Application, span: tuple[int, int]) -> ChunkChecked:
    with application.database.reader() as reader:
        return check_chunk(application.kernel.log, span[0], list(reader.scan(*span)))


def _check_leaves(application: Application, span: tuple[int, int]) -> ChunkChecked:
    with application.database.reader() as reader:
        return check_leaves(span[0], reader.leaves(*span))


def _people(application: Application, reader: EntryReader, found: Verified) -> Iterator[Verified]:
    """Part the subjects that stand in the database, each part with what their entries say."""
    unseen = dict.fromkeys(found.chains)
    gathered: list[str] = []
    for subject, sealed in reader.all_states():
        if subject not in unseen:
            application.ledger_verifier.check_subjects(reader, [(subject, sealed)], found.of(()))
            continue
        del unseen[subject]
        gathered.append(subject)
        if len(gathered) == SUBJECTS:
            yield found.of(gathered)
            gathered = []
    yield found.of(gathered)
    application.ledger_verifier.check_subjects(reader, (), found.of(unseen))


def _check_people(application: Application, part: Verified) -> int:
    """Check some subjects' chains and rows in one snapshot, taken when or after the ledger was verified."""
    subjects = [SubjectId(subject) for subject in part.chains]
    with application.database.read() as work:
        states = work.entries.states_of(subjects)
        indexes = application.ledger_verifier.check_subjects(work.entries, states.items(), part)
        compared = {subject: part.entries_of(subject, group) for subject, group in indexes.items()}
        application.row_check.check_people(work, compared)
    return len(subjects)


_CHECKS: tuple[Callable[[Application, Any], Any], ...] = (_check_entries, _check_people)


def _say_corrupt(error: LedgerCorrupt, *, as_json: bool) -> None:
    if as_json:
        write_json({"verified": False, "entry": error.entry, "what": error.what})
    else:
        click.echo(f"The ledger does NOT verify. {str(error)[0].upper()}{str(error)[1:]}.", err=True)


@audit.command()
@common
@click.option("--repair", is_flag=True, help="Make anew what follows from the entries. Entries are never written.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes to use; else one a core.")
@click.pass_context
def fsck(context: click.Context, home: str | None, workers: int | None, *, repair: bool, as_json: bool) -> None:
    """Verify the ledger, then check what is kept beside the database: tiles, high-water mark, cosignatures."""
    try:
        with registry_to_inspect(home) as application:
            found = verify_ledger(application, workers or os.cpu_count() or 1)
            faults = [(fault, _mended(fault) if repair else False) for fault in faults_of(application)]
    except LedgerCorrupt as error:
        _say_corrupt(error, as_json=as_json)
        context.exit(FOUND_WRONG)
    if as_json:
        told = [
            {"part": fault.part, "what": fault.what, "state": _state(fault, is_mended), "advice": fault.advice or None}
            for fault, is_mended in faults
        ]
        write_json({"verified": True, "size": found.size, "faults": told})
    else:
        click.echo(f"{found.size} entries verified; {len(faults) or 'no'} faults beside the database")
        for fault, is_mended in faults:
            click.echo(f"{fault.part}: {fault.what}: {_state(fault, is_mended)}. {fault.advice}".rstrip())
    context.exit(0 if all(is_mended for _, is_mended in faults) else FOUND_WRONG)


def _mended(fault: Fault) -> bool:
    if fault.mend is None:
        return False
    fault.mend()
    return True


def _state(fault: Fault, is_mended: bool) -> str:  # noqa: FBT001  # a fact, no choice of behaviour
    if is_mended:
        return "mended"
    return "stays" if fault.mend is None else "can be mended with --repair"


@audit.command()
@common
def checkpoint(home: str | None, *, as_json: bool) -> None:
    """Print the signed checkpoint of the newest entry."""
    with registry_to_inspect(home) as application, application.database.reader() as reader:
        note = reader.head().checkpoint
        pair, former = application.signing.pair, application.signing.terms
    if as_json:
        keys = [(one.pair, one.size) for one in former] + [(pair, None)]
        told = [{"vkey": format_vkey(a.key), "second": format_cosigner(a.second), "until": until} for a, until in keys]
        write_json({"checkpoint": note, "vkey": format_vkey(pair.key), "keys": told})
    else:
        click.echo(note, nl=False)


@audit.command()
@common
@click.option("--reason", required=True, help="Why the database is what it is; goes into the entry.")
@click.pass_context
def recover(context: click.Context, home: str | None, reason: str, *, as_json: bool) -> None:
    """Go on with a database that does not follow its high-water mark, under a new origin that states the loss."""
    demand(("--reason", reason, NOTE))
    with registry_to_inspect(home) as application:
        try:
            verify_ledger(application, os.cpu_count() or 1)
        except LedgerCorrupt as error:
            _say_corrupt(error, as_json=as_json)
            context.exit(FOUND_WRONG)
        done = recover_ledger(application, reason)
    again = "" if not done.erased else f" {done.erased} who were erased came back with it, and were erased again."
    if as_json:
        told = {"standing": done.standing, "kept": done.kept, "found": done.found, "entry": done.entry}
        told["erased_again"] = done.erased
        write_json(told | _keys_of(done.keys))
    elif done.entry is None or done.keys is None:
        click.echo(f"Nothing to recover: the database follows its high-water mark of {done.kept} entries.{again}")
    else:
        lost = "" if done.lost is None else f" {done.lost} entries are lost."
        click.echo(
            f"Entry {done.entry} states it.{lost}{again} The registry serves again; restart what still runs on it."
        )
        click.echo(f"The ledger's origin is now {done.keys.key.name}. For witnesses' policies and auditors:")
        click.echo(done.keys.words().replace(" ", "\n"))
        click.echo("Make a backup at once: an earlier state cannot be gone on with any more.", err=True)


@audit.command()
@common
@click.argument("key_id")
@click.option(
    "--since", required=True, help="From when on somebody else may have had it, such as 2026-01-31T00:00:00Z."
)
@click.option("--reason", required=True, help="What is known of it; goes into the entry.")
@click.pass_context
def compromise(
    context: click.Context, home: str | None, key_id: str, since: str, reason: str, *, as_json: bool
) -> None:
    """Go on without the ledger's key KEY_ID, which somebody else may have: under a new origin, with a new key.

    KEY_ID is between the two plus signs of its verifier key. No entry is lost, and the key is destroyed here.
    """
    demand(("--since", since, _is_moment), ("--reason", reason, NOTE))
    moment = from_unix_ms(moment_ms(since) or 0)
    with registry_at(home) as application:
        try:
            verify_ledger(application, os.cpu_count() or 1)
            done = replace_key(application, Compromise(key_id, moment, None, reason))
        except LedgerCorrupt as error:
            _say_corrupt(error, as_json=as_json)
            context.exit(FOUND_WRONG)
    until = [f"--until {key.key_id.hex()}={done.trusted or 0}" for key in (done.former.key, done.former.second)]
    if as_json:
        is_new = done.trusted is not None
        told = {"replaced": is_new, "entry": done.entry, "trusted": done.trusted, "until": until if is_new else []}
        write_json(told | _keys_of(done.keys))
    elif done.trusted is None:
        click.echo(f"Nothing to do: {key_id} signs nothing since entry {done.entry}. Others sign now:")
        click.echo(done.keys.words().replace(" ", "\n"))
    else:
        click.echo(f"Entry {done.entry} states it; {key_id} is destroyed here and signs this ledger no more.")
        click.echo(f"The ledger's origin is now {done.keys.key.name}. For witnesses' policies and auditors:")
        click.echo(done.keys.words().replace(" ", "\n"))
        click.echo(_AFTER_COMPROMISE.format(key_id=key_id, trusted=done.trusted, until=" ".join(until)), err=True)


_AFTER_COMPROMISE = """\
Others had seen and dated {trusted} entries before it was suspected; those after that rest on what is here.
1. Witnesses: in their policies put the first line in place of the one with {key_id}, not beside it, and restart them.
2. Whoever verifies: give them both lines by another way than bundles, and for bundles of before:
   {until}
3. Make a backup now, copy the key folder, destroy its older copies, and close the way by which the key was taken."""


def _is_moment(text: str) -> str | None:
    return None if moment_ms(text) is not None else "not_a_moment"


audit.add_command(witness)


def _keys_of(keys: KeyPair | None) -> dict[str, str | None]:
    if keys is None:
        return {"origin": None, "vkey": None, "second": None}
    return {"origin": keys.key.name, "vkey": format_vkey(keys.key), "second": format_cosigner(keys.second)}


@audit.command()
@common
@click.pass_context
def anchor(context: click.Context, home: str | None, *, as_json: bool) -> None:
    """Have the newest checkpoint time-stamped by every authority of config.toml, once."""
    with registry_at(home) as application:
        anchors = application.anchors
        if anchors is None:
            raise MisconfiguredHome("no authorities are set; name them under [[anchors]] in config.toml")
        asked = anchors.round()
    told = {one.name: one.failure or ("" if one.stamp is None else iso(one.stamp.at)) for one in asked}
    if as_json:
        write_json({"authorities": told, "failed": [one.name for one in asked if one.failure]})
    else:
        for name, what in told.items():
            click.echo(f"{name}: {what}")
        if not asked:
            click.echo("Nothing new to stamp.")
    context.exit(FOUND_WRONG if any(one.failure for one in asked) else 0)


@click.command("verify-bundle")
@common
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False))
@click.option("--key", help="The ledger's verifier key, from a source that you trust.")
@click.option("--key-file", type=click.Path(exists=True, dir_okay=False), help="A file that holds it.")
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False), help="A tlog-policy: ledger, witnesses, quorum."
)
@click.option("--tsa-ca", type=click.Path(exists=True, dir_okay=False), help="Authorities' certificates: check stamps.")
@click.option(
    "--until", multiple=True, metavar="KEY_ID=SIZE", help="A former or compromised key signed nothing longer."
)
@click.pass_context
def verify_bundle(
    context: click.Context,
    /,
    home: str | None,
    bundle: str,
    *,
    tsa_ca: str | None,
    until: tuple[str, ...],
    as_json: bool,
    **given: str | None,
) -> None:
    """Verify an evidence bundle. Needs no registry and no network; keys never come from the bundle."""
    del home  # every command takes it; this one needs none
    trust = _trust_of(**given)
    try:
        trust.until = dict(map(offline.parse_until, until))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    raw = Path(bundle).read_bytes()
    verdict = offline.verify(raw, trust)
    if tsa_ca is not None and verdict.verified:
        _add_stamps(verdict, raw, Path(tsa_ca).read_bytes())
    if as_json:
        write_json(
            {
                "verified": not verdict.problems,
                "origin": verdict.origin,
                "size": verdict.size,
                "problems": verdict.problems,
                "checked": verdict.checked,
                "not_checked": verdict.not_checked,
                "gaps": verdict.gaps,
                "cosigned": verdict.cosigned,
            }
        )
    else:
        click.echo(offline.report(verdict))
    context.exit(FOUND_WRONG if verdict.problems else 0)


def _add_stamps(verdict: offline.Verdict, raw: bytes, pem: bytes) -> None:
    """Verify the time-stamps too, which the verifier that stands alone cannot."""
    try:
        checked = check_stamps(raw, pem)
    except ProofRejected as error:
        verdict.problems.append(str(error))
        return
    verdict.not_checked = [said for said in verdict.not_checked if not said.startswith("the time-stamp stamps/")]
    verdict.checked += [
        f"{one.stamp.authority} stamped the checkpoint of {one.size} entries at {iso(one.stamp.at)}" for one in checked
    ]


def _trust_of(key: str | None, key_file: str | None, policy: str | None) -> offline.Trust:
    """Read whom the reader trusts, from exactly one of the three."""
    if sum(one is not None for one in (key, key_file, policy)) != 1:
        raise click.UsageError("give the ledger's key with --key or --key-file, or a policy with --policy")
    if policy is not None:
        try:
            return offline.parse_policy(Path(policy).read_text("utf-8"))
        except ValueError as error:
            raise click.UsageError(f"that is not a policy: {offline.shown(str(error))}") from None
    text = key or Path(key_file or "").read_bytes().decode("ascii", "replace").strip()
    try:
        return offline.Trust([offline.parse_key(text)])
    except offline.BadKey:
        raise click.UsageError("that is not a verifier key") from None
