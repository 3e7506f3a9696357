"""Each rule of rules.py holds in the whole package, and finds the example that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.architecture import rules
from tests.architecture.source import ROOT, Finding, Module, modules, parse

Rule = Callable[[Module], Iterator[Finding]]


class Case(NamedTuple):
    """A rule, where it holds, an example that breaks it and one that does not."""

    rule: Rule
    folders: tuple[str, ...]
    bad: str
    good: str
    path: str = "registry/services/example.py"


EVERYWHERE = ("registry", "migrations", "tests", "benchmarks")
CASES = (
    Case(
        rules.exposures,
        ("registry",),
        "def f(field):\n    return field.expose()\n",
        "def f(field):\n    return field\n",
    ),
    Case(
        rules.commits,
        ("registry",),
        "def f(connection):\n    connection.commit()\n",
        "def f(self):\n    with self._open_work() as work:\n        work.commit()\n",
    ),
    Case(
        rules.transactions_run_once,
        ("registry",),
        "class S:\n    def f(self):\n        with self._kernel.database.write() as work:\n            work.commit()\n",
        "class S:\n    @rerun_once\n    def f(self):\n        with self._kernel.database.write() as work:\n"
        "            work.commit()\n",
    ),
    Case(
        rules.session_dependencies,
        ("registry",),
        "def work():\n    yield open_work()\n\ndef route(w=Depends(work)):\n    return w\n",
        "@asynccontextmanager\nasync def lifespan(app):\n    yield\n\ndef f(uses=Depends(uses)):\n    return uses\n",
        "registry/api/example.py",
    ),
    Case(
        rules.session_dependencies,
        ("registry",),
        "def stream(self):\n    with self._open_work() as work:\n        yield work\n",
        "def stream(rows):\n    yield from rows\n",
        "registry/console/example.py",
    ),
    Case(
        rules.revealing_gets,
        ("registry",),
        '@router.get("/v1/x")\ndef f(uses):\n    return uses.disclose(1)\n',
        '@router.post("/v1/x")\ndef f(uses):\n    return uses.disclose(1)\n',
        "registry/api/example.py",
    ),
    Case(
        rules.revealing_gets,
        ("registry",),
        '@app.route("/x", methods=["GET"])\ndef f(uses):\n    return uses.reveal(1)\n',
        '@app.route("/x", methods=["POST"])\ndef f(uses):\n    return uses.reveal(1)\n',
        "registry/console/example.py",
    ),
    Case(
        rules.revealing_gets,
        ("registry",),
        'def f(ask):\n    return ask.disclose_many(1)\n\nR = [shown("/x", f, GATE)]\n',
        'def f(ask):\n    return ask.disclose_many(1)\n\nR = [submitted("/x", f, GATE)]\n',
        "registry/console/example.py",
    ),
    Case(
        rules.revealing_gets,
        ("registry",),
        'def f(ask):\n    return ask.reveal(1)\n\nR = [Route("/x", f)]\n',
        'def f(ask):\n    return ask.reveal(1)\n\nR = [Route("/x", f, methods=["POST"])]\n',
        "registry/console/example.py",
    ),
    Case(rules.prints, ("registry",), "print(1)\n", "return_value = 1\n"),
    Case(rules.lengths, EVERYWHERE, "x = 1\n" * 501, "x = 1\n" * 500),
    Case(rules.lengths, EVERYWHERE, "def f():\n" + "    x = 1\n" * 60, "def f():\n" + "    x = 1\n" * 59),
    Case(rules.lengths, EVERYWHERE, "x = 1\n" * 601, "x = 1\n" * 600, "tests/unit/test_example.py"),
    Case(rules.banned_words, ("registry", "migrations"), "class GuiltyParty: ...\n", "factor = 1\n"),
    Case(rules.banned_words, ("registry", "migrations"), "def f(master_key): ...\n", "def f(key_id): ...\n"),
    Case(rules.banned_words, ("registry", "migrations"), "Column('actor')\n", "Column('principal')\n"),
    Case(
        rules.loose_time,
        ("registry",),
        "from datetime import UTC, datetime\nat = datetime.now(UTC)\n",
        "at = clock.now()\n",
    ),
    Case(rules.loose_time, ("registry",), "at = time.time()\n", "at = time.monotonic()\n"),
    Case(rules.loose_time, ("registry",), "at = datetime.fromtimestamp(5)\n", "at = datetime.fromtimestamp(5, UTC)\n"),
    Case(
        rules.module_level_objects,
        ("registry",),
        "engine = create_engine('sqlite://')\n",
        "def build():\n    return create_engine('sqlite://')\n",
    ),
    Case(rules.module_level_objects, ("registry",), "settings = Settings()\n", "LIMIT = 5\n"),
    Case(rules.stripped_asserts, ("registry",), "assert x\n", "if not x:\n    raise KeyUnavailable('x')\n"),
    Case(rules.loose_logs, ("registry",), "log.info(f'opened {x}')\n", "log.info('opened', entry=4)\n"),
    Case(rules.loose_logs, ("registry",), "log.info('opened', value=x)\n", "math.log(x)\n"),
    Case(
        rules.unexplained_exceptions, EVERYWHERE, "x = 1  # no" + "qa\n", "x = 1  # no" + "qa: E501 - a long address\n"
    ),
    Case(rules.unexplained_exceptions, EVERYWHERE, "x = 1  # no" + "qa: E501\n", 'x = "# no' + 'qa"\n'),
    Case(
        rules.unexplained_exceptions,
        EVERYWHERE,
        "x = 1  # type: " + "ignore[misc]\n",
        "x = 1  # type: " + "ignore[misc]  # the stub is wrong\n",
    ),
    Case(rules.unfinished, EVERYWHERE, "x = 1  # TO" + "DO later\n", "x = 1  # todos are rows\n"),
    Case(rules.unfinished, EVERYWHERE, "raise NotImplemented" + "Error\n", "raise KeyUnavailable('x')\n"),
    Case(rules.unfinished, EVERYWHERE, "raise NotImplemented" + "Error('x')\n", "except_for = NotImplementedError\n"),
    Case(
        rules.empty_tests,
        ("tests",),
        "def test_x():\n    run()\n",
        "def test_x():\n    with pytest.raises(ValueError):\n        run()\n",
        "tests/unit/test_example.py",
    ),
    Case(
        rules.empty_tests,
        ("tests",),
        "def test_x():\n    assert True\n",
        "def holds(x):\n    assert x\n\ndef test_x():\n    holds(run())\n",
        "tests/unit/test_example.py",
    ),
)
RULES = {case.rule: case.folders for case in CASES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Rule) -> None:
    found = [str(finding) for module in modules(*RULES[rule]) for finding in rule(module)]
    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule.__name__)
def test_the_rule_finds_a_planted_break(case: Case) -> None:
    assert list(case.rule(parse(case.bad, case.path)))
    assert not list(case.rule(parse(case.good, case.path)))


def test_every_rule_has_an_example() -> None:
    public = {name for name, thing in vars(rules).items() if callable(thing) and thing.__module__ == rules.__name__}
    assert {name for name in public if not name.startswith("_")} == {rule.__name__ for rule in RULES}


def test_the_listed_expose_sites_exist() -> None:
    assert [path for path in rules.EXPOSE_SITES if not (ROOT / path).is_file()] == []


def test_a_listed_expose_site_may_unwrap() -> None:
    for path in rules.EXPOSE_SITES:
        assert not list(rules.exposures(parse("def f(field):\n    return field.expose()\n", path)))
