"""Policies as files: read, checked strictly, and never used when anything in them is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import cedarpy

from registry.domain.errors import MisconfiguredHome
from registry.policy.decide import PUBLIC_REASONS
from registry.policy.purposes import PURPOSES_FILE, Purposes

SCHEMA_FILE = "registry.cedarschema"
# The one shipped file that an agency's own takes the place of; all others are in force whatever an agency adds.
REPLACEABLE = "purposes.cedar"
PERMITTED, MASKED = "permitted", "masked"
ASK, RELEASE, SHOW_FULL, VIEW_OWN = "ask", "release", "show_full", "view_own"
ACTIONS = frozenset({ASK, RELEASE, SHOW_FULL, VIEW_OWN})
MAX_FILE_BYTES = 1 << 20

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_RANK = re.compile(r"[0-9]{1,4}")
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|[^;"/]+|/|;|"')


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one policy.

    Attributes:
        file: name of the file.
        line: where its policy begins, from 1; 0 for the file as a whole.
        policy: the policy's ``@id``, or empty.
        what: in words.
    """

    file: str
    line: int
    policy: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {f'{self.policy}: ' if self.policy else ''}{self.what}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy.

    Attributes:
        id, reason: its annotations.
        rank: the order among forbids that apply together; the lowest gives the public reason. 0 for a permit.
        action: the one question that it is about.
    """

    id: str
    reason: str
    rank: int
    action: str
    file: str
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class PolicyTexts:
    """The schema, every policy file by name, and the purposes, the shipped and an agency's; equal by digest."""

    schema: str
    policies: Mapping[str, str] = field(repr=False)
    purposes: Purposes

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in hexadecimal."""
        told = sha256()
        parts = (("", self.schema), (PURPOSES_FILE, self.purposes.canonical), *sorted(self.policies.items()))
        for name, text in parts:
            for part in (name.encode(), text.encode()):
                told.update(len(part).to_bytes(8, "big") + part)
        return told.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PolicyTexts) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


class RuleSet:
    """Policies that passed every check, parsed once."""

    def __init__(self, texts: PolicyTexts) -> None:
        """Parse and check.

        Raises:
            MisconfiguredHome: naming file, line, policy and what is wrong with the first.
        """
        self.texts = texts
        problems, rules = checked(texts)
        if problems:
            more = f" (and {len(problems) - 1} more; run: registry policy check)" if len(problems) > 1 else ""
            raise MisconfiguredHome(f"policy {problems[0]}{more}")
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self.schema = cedarpy.Schema.from_str(texts.schema + texts.purposes.schema)
        self.policies = cedarpy.PolicySet.from_str("\n".join(text for _, text in sorted(texts.policies.items())))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the texts."""
        return self.texts.digest


@lru_cache(4)
def checked_once(texts: PolicyTexts) -> RuleSet:
    """Return the policies of these texts, checked and parsed once a process.

    Both take 20 ms of a start; a worker that is forked, or takes the place of another, has its parent's.

    Raises:
        MisconfiguredHome: naming file, line, policy and what is wrong with the first.
    """
    return RuleSet(texts)


def shipped_texts() -> PolicyTexts:
    """Return what comes with the program."""
    room = files("registry.policy")
    policies = {path.name: path.read_text("utf-8") for path in room.iterdir() if path.name.endswith(".cedar")}
    purposes = Purposes(()).with_own((room / PURPOSES_FILE).read_text("utf-8"))
    return PolicyTexts((room / SCHEMA_FILE).read_text("utf-8"), policies, purposes)


def texts_with(folder: Path | None) -> PolicyTexts:
    """Return the shipped policies with those of an agency's folder.

    Raises:
        MisconfiguredHome: the folder is not there, has no policy or one under a name that is not free, a file is not
            readable text, or a purpose is not declared as it should be.
    """
    shipped = shipped_texts()
    if folder is None:
        return shipped
    own = _own(folder, shipped)
    purposes = shipped.purposes.with_own(own.pop(PURPOSES_FILE, ""))
    return PolicyTexts(shipped.schema, {**shipped.policies, **own}, purposes)


def checked(texts: PolicyTexts) -> tuple[list[Problem], list[Rule]]:
    """Check every policy against the schema, and its annotations; return all that is wrong, and the rules."""
    try:
        schema = cedarpy.Schema.from_str(texts.schema + texts.purposes.schema)
    except ValueError as exc:
        return [Problem(SCHEMA_FILE, 0, "", str(exc))], []
    problems: list[Problem] = []
    rules: dict[str, Rule] = {}
    for file, text in sorted(texts.policies.items()):
        for line, statement in statements(text):
            found = _check(file, line, statement, schema)
            if isinstance(found, Rule) and found.id in rules:
                first = rules[found.id]
                found = [Problem(file, line, found.id, f"the @id is taken, by {first.file}:{first.line}")]
            if isinstance(found, Rule):
                rules[found.id] = found
            else:
                problems += found
    return problems, list(rules.values())


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Cut a file into its policies, each with the line on which it begins.

    Cedar's own messages name no line. A semicolon ends a policy, unless it is in a string or a comment.
    """
    start, at = 0, 0
    for piece in _PIECE.finditer(text):
        at = piece.end()
        if piece.group() == ";":
            yield _placed(text, start, at)
            start = at
    rest = _placed(text, start, len(text))
    if re.sub(r"//[^\n]*", "", rest[1]).strip():
        yield rest


def _placed(text: str, start: int, end: int) -> tuple[int, str]:
    statement = text[start:end]
    lead = re.match(r"(?:\s+|//[^\n]*)*", statement)
    skipped = 0 if lead is None else lead.end()
    return text.count("\n", 0, start + skipped) + 1, statement[skipped:]


def _check(file: str, line: int, statement: str, schema: cedarpy.Schema) -> Rule | list[Problem]:
    named = re.search(r'@id\("([^"\n]{1,80})"\)', statement)
    told = named.group(1) if named else ""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(statement))
    except ValueError as exc:
        return [Problem(file, line, told, str(exc))]
    policies = list(parsed["staticPolicies"].values())
    if len(policies) != 1 or parsed.get("templates"):
        return [Problem(file, line, told, "write each policy out, ended by a semicolon; templates are not used")]
    result = cedarpy.validate_policies(statement, schema)
    wrong = [re.sub(r"^for policy `policy\d+`, ", "", error.error) for error in result.errors]
    if not result.validation_passed and not wrong:
        wrong = ["the policy does not fit the schema"]
    wrong += _wrong_annotations(policies[0])
    if wrong:
        return [Problem(file, line, told, what) for what in wrong]
    annotations = policies[0]["annotations"]
    action = policies[0]["action"]["entity"]["id"]
    return Rule(annotations["id"], annotations["reason"], int(annotations.get("rank", 0)), action, file, line)


def _wrong_annotations(policy: Mapping[str, object]) -> list[str]:
    given = policy.get("annotations")
    annotations: Mapping[str, str] = given if isinstance(given, dict) else {}
    action = _action(policy.get("action"))
    wrong = []
    if not _ID.fullmatch(annotations.get("id", "")):
        wrong.append('needs an @id of small letters, digits and dots, such as @id("conflict.kin")')
    if action is None:
        wrong.append(f'must name one action: action == Action::"{ASK}", or another of {", ".join(sorted(ACTIONS))}')
    reasons = _reasons(str(policy.get("effect")), action)
    if annotations.get("reason") not in reasons:
        wrong.append(f"needs a @reason, one of: {', '.join(reasons)}")
    if policy.get("effect") == "forbid" and not _RANK.fullmatch(annotations.get("rank", "")):
        wrong.append("needs a @rank, a whole number: of several that forbid, the lowest gives the reason")
    return wrong


def _action(scope: object) -> str | None:
    entity = scope.get("entity") if isinstance(scope, dict) and scope.get("op") == "==" else None
    name = entity.get("id") if isinstance(entity, dict) else None
    return name if name in ACTIONS else None


def _reasons(effect: str, action: str | None) -> Sequence[str]:
    if effect == "permit":
        return (PERMITTED,)
    return (MASKED,) if action == SHOW_FULL else PUBLIC_REASONS


def _own(folder: Path, shipped: PolicyTexts) -> dict[str, str]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".cedar" or path.name == PURPOSES_FILE)
        sizes = [path.stat().st_size for path in paths]
    except OSError:
        raise MisconfiguredHome(f"the policy folder {folder} cannot be read") from None
    if not any(path.suffix == ".cedar" for path in paths):
        raise MisconfiguredHome(f"the policy folder {folder} has no file *.cedar")
    taken = {path.name for path in paths} & (set(shipped.policies) - {REPLACEABLE})
    if taken:
        raise MisconfiguredHome(f"the policy folder may not replace {', '.join(sorted(taken))}; use another file name")
    if max(sizes) > MAX_FILE_BYTES:
        raise MisconfiguredHome(f"a file of the policy folder is longer than {MAX_FILE_BYTES:,} bytes")
    try:
        return {path.name: path.read_text("utf-8") for path in paths}
    except (OSError, ValueError):
        raise MisconfiguredHome(f"a file of the policy folder {folder} is not readable UTF-8 text") from None
