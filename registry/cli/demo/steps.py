"""The whole story, step by step. Each step says what it does, checks what came of it, and fails aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TextIO

import httpx2

from registry.api.logs import configure_logs
from registry.api.server import serving
from registry.audit.verify import Verified
from registry.bootstrap import Application, initialise, open_application, operator
from registry.cli.auditing import verify_ledger
from registry.cli.demo.clock import WeekClock, moment_in, working_days
from registry.cli.demo.desk import Account, Desk, StepFailed, document_of
from registry.cli.demo.findings import entries_of_copies, found_kinds, tell_report
from registry.cli.demo.folder import Folder
from registry.cli.demo.leak import Leak, make_leak
from registry.cli.demo.offline import REFUSED, VERIFIED, flip_and_mend, flip_one_bit, verify_apart
from registry.cli.demo.people import Person, make_people, people_csv
from registry.cli.demo.plan import plan_week
from registry.cli.demo.staff import ADMIN, INVESTIGATOR, Reader, make_staff
from registry.cli.demo.story import Story
from registry.cli.demo.week import Played, Week
from registry.cli.importing import run_import
from registry.cli.serving import build_site
from registry.console.sessions import SignInLinks
from registry.domain.clock import SystemClock, iso
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.import_people import Existing, Outcome
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, load_settings
from registry.text.csv_rows import find_csv
from registry.transparency.note import format_vkey
from registry.transparency.offline import verifier_source

SOURCE = "a neighborhood forum (made up)"
_OPENS_AT = 6 * 3600
_TIMEOUT_SECONDS = 60.0


@dataclass(slots=True)
class City:
    """What a run has at hand once its registry is open."""

    application: Application
    clock: WeekClock
    days: tuple[date, ...]
    people: tuple[Person, ...] = field(repr=False)
    readers: tuple[Reader, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Traced:
    """A traced leak: the trace's id and the report as the API gave it."""

    trace: str
    report: Mapping[str, Any]


def open_city(story: Story, folder: Folder) -> City:
    """Make the registry and enroll the people."""
    settings = load_settings(folder.home, {})
    days = working_days(SystemClock().now().date())
    clock = WeekClock(SystemClock(), moment_in(days, 0, _OPENS_AT))
    with story.step("A new registry: keys, tables, first entry"):
        initialise(settings, DEVELOPMENT, clock)
        application = open_application(settings, clock)
        story.say(f"Its home is {folder.home}; the week runs from {days[0]} to now.")
    try:
        people = make_people()
        with story.step(f"{len(people)} made-up people are enrolled from a CSV file"):
            enroll(story, application, folder, people)
    except BaseException:
        application.close()
        raise
    return City(application, clock, days, people, make_staff(people))


def enroll(story: Story, application: Application, folder: Folder, people: tuple[Person, ...]) -> None:
    """Write the people's file and import it, as ``registry import`` does.

    Raises:
        StepFailed: not everybody was enrolled.
    """
    path = folder.write("people.csv", people_csv(people).encode())
    with path.open("rb") as stream:
        tally = run_import(application, find_csv(stream), Existing.REJECT)
    if tally.counts[Outcome.CREATED] != len(people) or tally.rejected:
        raise StepFailed("not everybody in the file was enrolled")
    story.say(f"{tally.lines} lines, {tally.counts[Outcome.CREATED]} created, 0 rejected: {path.name}")


@dataclass(frozen=True, slots=True)
class Served:
    """A city whose registry is being served: its address, the staff's desk, and the console's sign-in links."""

    url: str
    desk: Desk
    links: SignInLinks | None


@contextmanager
def served(city: City, log: TextIO) -> Iterator[Served]:
    """Serve the city's registry on a loopback port of this process; the registry is closed at the end."""
    with redirect_stdout(log):
        configure_logs()
    site = build_site(city.application)
    with (
        serving(city.application, site.app) as url,
        httpx2.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False) as client,
    ):
        yield Served(url, Desk(client, city.application.development_issuer(), city.clock), site.links)


def grant_accounts(desk: Desk, application: Application, accounts: Sequence[Account]) -> None:
    """Put accounts into the principals table through the API; the first administrator is made at the keyboard."""
    application.principals.ensure(
        Grant(DEVELOPMENT_ISSUER, ADMIN.sub, ADMIN.roles, None, ADMIN.unit), operator=operator()
    )
    for account in accounts:
        body: dict[str, object] = {"issuer": DEVELOPMENT_ISSUER, "sub": account.sub, "unit": account.unit}
        body["roles"] = sorted(account.roles)
        if account.employee_number is not None:
            body["employee_number"] = account.employee_number
        document_of(desk.post(ADMIN, "/v1/principals", body), httpx2.codes.OK)


def play_week(story: Story, desk: Desk, city: City) -> Played:
    """Give the staff their accounts and let them work for a week."""
    with story.step(f"{len(city.readers)} members of staff get accounts"):
        grant_accounts(desk, city.application, (INVESTIGATOR, *(reader.account for reader in city.readers)))
        story.say(
            "Through POST /v1/principals, each grant an entry of the ledger; from now on everybody has signed tokens."
        )
    with story.step("A working week of lookups through the API"):
        played = Week(desk, city.clock, city.people).play(plan_week(city.people, city.readers), city.days)
        _say_week(story, played)
    city.clock.release()
    return played


def _say_week(story: Story, played: Played) -> None:
    statuses = ", ".join(f"{count} answered {status}" for status, count in sorted(played.statuses.items()))
    story.say(f"{played.requests} requests ({played.batches} batches, {played.searches} searches): {statuses}.")
    story.say(
        f"{len(played.served)} cards were served, each under the receipt of an entry that stood before it opened."
    )


def post_leak(story: Story, folder: Folder, seed: int, city: City, played: Played) -> Leak:
    """Let one of them post three facts."""
    leak = make_leak(seed, played.served, city.people, city.days)
    with story.step(f"One of them posts three facts to a forum (seed {seed})"):
        folder.write("post.txt", leak.post.encode())
        story.show(leak.post)
        story.say(f"It appeared at {iso(leak.published_at)[:16].replace('T', ' ')} UTC. All people in it are made up.")
    return leak


def trace_leak(desk: Desk, leak: Leak) -> Traced:
    """Trace a leak through the API.

    Raises:
        StepFailed: the copy that it was made from is not among the candidates.
    """
    body = {"text": leak.post, "published_at": iso(leak.published_at), "source": SOURCE}
    document = document_of(desk.post(INVESTIGATOR, "/v1/traces", body), httpx2.codes.CREATED)
    traced = Traced(document["trace"], document["report"])
    if leak.source.index not in entries_of_copies(traced.report):
        raise StepFailed("the copy that the post was made from is not among the candidates")
    return traced


def read_leak(story: Story, desk: Desk, leak: Leak) -> Traced:
    """Trace the post and tell what the report says."""
    with story.step("An investigator gives the post to the trace"):
        traced = trace_leak(desk, leak)
        tell_report(story, traced.report)
        found = found_kinds(traced.report, leak.source.number) & set(leak.facts)
        story.say(f"What the trace cannot know: the post was made from the copy of entry {leak.source.index}.")
        story.say(f"That copy is in the list, and {len(found)} of the post's {len(leak.facts)} facts were found.")
    return traced


def write_results(story: Story, desk: Desk, folder: Folder, traced: Traced) -> None:
    """Fetch report and evidence, and write them beside the verifier's own file."""
    with story.step("Report and evidence are written"):
        for name in ("report.html", "report.pdf", "evidence.zip"):
            path = folder.write(name, desk.get(INVESTIGATOR, f"/v1/traces/{traced.trace}/{name}"))
            story.say(f"{path} ({path.stat().st_size:,} bytes)")


def verify_evidence(story: Story, folder: Folder, city: City, leak: Leak) -> None:
    """Verify the bundle offline, then flip one bit of it and see it refused."""
    vkey = format_vkey(city.application.verifier_key)
    folder.write("verify_bundle.py", verifier_source())
    folder.write("ledger.vkey", f"{vkey}\n".encode())
    index = leak.source.index
    with story.step("The evidence is verified offline, in a process that has one file and the ledger's key"):
        code, verdict = verify_apart(folder.path, "evidence.zip", vkey)
        if code != VERIFIED or not verdict["verified"] or index not in {one["index"] for one in verdict["entries"]}:
            raise StepFailed("the evidence does not verify")
        for line in verdict["checked"]:
            story.say(f"- {line}", 5)
        story.say('Again by hand: python3 -I verify_bundle.py evidence.zip --key "$(cat ledger.vkey)"')
    with story.step(f"One bit is flipped, in the leaf of entry {index}: verification must fail"):
        bundle = folder.file("evidence.zip").read_bytes()
        _demand_refused(story, folder, vkey, flip_one_bit(bundle, index), "As it is")
        _demand_refused(story, folder, vkey, flip_and_mend(bundle, index), "With the zip and its manifest made to fit")


def _demand_refused(story: Story, folder: Folder, vkey: str, bundle: bytes, how: str) -> None:
    folder.write("evidence-flipped.zip", bundle)
    code, verdict = verify_apart(folder.path, "evidence-flipped.zip", vkey)
    if code != REFUSED or verdict["verified"]:
        raise StepFailed("a changed bundle was not refused")
    story.say(f"{how}: refused, {verdict['problems'][0]}.")


def verify_whole_ledger(story: Story, city: City) -> Verified:
    """Recompute the whole ledger, as ``registry audit verify`` does."""
    with story.step("The whole ledger is verified"):
        found = verify_ledger(city.application, 1)
        story.say(f"{found.size} entries: leaves, openings, tree, checkpoint, the chains of {found.subjects} people.")
    return found
