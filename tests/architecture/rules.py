"""The rules that ruff, mypy and import-linter cannot hold. Each takes one module and yields the places that break it.

tests/architecture/test_rules.py runs each on the whole package and on a planted example that must be found.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from tests.architecture.source import Finding, Module

# Plaintext leaves its wrapper here and nowhere else. Keep each line's reason true.
EXPOSE_SITES = {
    "registry/api/render.py": "writes the answer of a disclosure and of a search",
    "registry/console/render.py": "shows a disclosure on a page",
    "registry/services/index_change.py": "makes the terms that somebody is indexed by, under an open entry",
    "registry/services/erase_reading.py": "makes the terms that somebody is erased by, under an open entry",
    "registry/services/match.py": "compares opened values with a pasted text, under an open entry",
    "registry/services/unusual.py": "compares names and postal codes as keyed tags, under an open entry",
    "registry/services/update.py": "reads names that index terms of changed values are made with, under an open entry",
}
COMMIT_SITES = {
    "registry/storage/unit_of_work.py": "ends the transaction of one use case",
    "registry/storage/engine.py": "ends the settings' own transaction when a PostgreSQL connection opens",
}

_MODULE_LINES = {"registry": 500, "migrations": 500, "benchmarks": 500, "tests": 600}
# One file on purpose, so that a stranger can keep and read it; the reason is in the transparency room's README.
_LONGER = {"registry/transparency/offline/verify_bundle.py": 1_400}
_FUNCTION_LINES = 60
_BANNED = re.compile(r"(?:^|_)(?:actor|culprit|guilty|honeypot)s?(?:_|$)|master_?key", re.IGNORECASE)
_BUILDERS = {"create_engine", "Settings", "sessionmaker", "Session", "FastAPI", "Starlette", "build", "getenv"}
_CLOCK = "registry/domain/clock.py"
_LOGGERS = {"log", "logger", "_log", "_logger"}
_LOG_METHODS = {"debug", "info", "warning", "error", "critical", "exception"}


def exposures(module: Module) -> Iterator[Finding]:
    """Plaintext is unwrapped in named modules only (``.expose()``)."""
    if module.path not in EXPOSE_SITES:
        for call in _method_calls(module, "expose"):
            yield _at(module, call, "calls .expose(); plaintext is unwrapped in the modules of EXPOSE_SITES only")


def commits(module: Module) -> Iterator[Finding]:
    """Only the unit of work ends a transaction (``.commit()``)."""
    if module.path not in COMMIT_SITES:
        for call in _method_calls(module, "commit"):
            if not _is_work(call):
                yield _at(module, call, "commits; only the unit of work of the storage room does")


def transactions_run_once(module: Module) -> Iterator[Finding]:
    """A service that opens a write transaction is run again when it loses against another one (``@rerun_once``)."""
    if module.room != "services":
        return
    for function in _functions(module.tree):
        opens = any(
            isinstance(call.func, ast.Attribute) and ast.unparse(call.func).endswith("database.write")
            for call in _calls(function)
        )
        if opens and "rerun_once" not in {_name_of(decorator) for decorator in function.decorator_list}:
            yield _at(module, function, f"{function.name} opens a write transaction without @rerun_once")


def session_dependencies(module: Module) -> Iterator[Finding]:
    """No ``yield`` dependency holds a session: the client would have the answer before the commit."""
    if module.room not in {"api", "console"}:
        return
    depended = {
        argument.id
        for call in _calls(module.tree)
        if _name_of(call.func) in {"Depends", "Security"}
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    for function in _functions(module.tree):
        if not _is_generator(function) or _is_context_manager(function):
            continue
        opens = {_name_of(call.func) for call in _calls(function)} & {
            "open_work",
            "_open_work",
            "begin",
            "connect",
            "Session",
        }
        if function.name in depended or opens:
            yield _at(module, function, f"{function.name} yields as a dependency or holds a session while it yields")


def revealing_gets(module: Module) -> Iterator[Finding]:
    """No GET handler opens, discloses or reveals anything: links, caches and prefetchers follow GETs."""
    if module.room not in {"api", "console"}:
        return
    got = _handlers_of_get(module)
    for function in _functions(module.tree):
        if function.name in got or any(_registers_get(decorator) for decorator in function.decorator_list):
            for call in _calls(function):
                if re.search(r"disclos|reveal|expose|unseal", _name_of(call.func)):
                    yield _at(module, call, f"GET handler {function.name} calls {_name_of(call.func)}")


def prints(module: Module) -> Iterator[Finding]:
    """Nothing prints, except the command line and the verifier that travels alone."""
    if module.room == "cli" or "/offline/" in module.path:
        return
    for call in _calls(module.tree):
        if isinstance(call.func, ast.Name) and call.func.id in {"print", "pprint"}:
            yield _at(module, call, "prints; write a structured log line or return a value")


def lengths(module: Module) -> Iterator[Finding]:
    """A module fits in one reader's mind, a function on one screen."""
    limit = _LONGER.get(module.path, _MODULE_LINES[module.path.split("/", maxsplit=1)[0]])
    lines = len(module.text.splitlines())
    if lines > limit:
        yield Finding(module.path, limit, f"{lines} lines; at most {limit}: is there a room missing?")
    if module.path.startswith("registry/"):
        for function in _functions(module.tree):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > _FUNCTION_LINES:
                yield _at(module, function, f"{function.name} has {length} lines; at most {_FUNCTION_LINES}")


def banned_words(module: Module) -> Iterator[Finding]:
    """The glossary's words name things; words that accuse or mislead do not."""
    for line, name in _identifiers(module.tree):
        if _BANNED.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)):
            yield Finding(module.path, line, f"identifier {name!r}: see the glossary in docs/architecture.md")


def loose_time(module: Module) -> Iterator[Finding]:
    """The time comes from the injected clock, aware and in UTC."""
    if module.path == _CLOCK:
        return
    for call in _calls(module.tree):
        dotted = _dotted(call.func)
        if re.search(r"(^|\.)(datetime|date)\.(now|utcnow|today)$|^time\.(time|time_ns)$", dotted):
            yield _at(module, call, f"{dotted}() reads the machine's clock; take a Clock")
        if (
            re.search(r"(^|\.)datetime\.(utcfromtimestamp|fromtimestamp)$", dotted)
            and len(call.args) + len(call.keywords) < 2
        ):
            yield _at(module, call, f"{dotted}() without a zone gives a naive time")


def module_level_objects(module: Module) -> Iterator[Finding]:
    """Importing a module opens and configures nothing: engines, settings and apps are built in bootstrap."""
    for statement in module.tree.body:
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr) else None
        if isinstance(value, ast.Call) and _name_of(value.func) in _BUILDERS:
            yield _at(module, statement, f"{_name_of(value.func)}() at import time; build it in bootstrap")


def stripped_asserts(module: Module) -> Iterator[Finding]:
    """``python -O`` removes assert statements, so production code never relies on one."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield _at(module, node, "assert in production code; raise one of the project's errors")


def loose_logs(module: Module) -> Iterator[Finding]:
    """A log line's event is a constant; facts go into keywords, and no keyword is named like a protected value."""
    for call in _calls(module.tree):
        function = call.func
        if not (isinstance(function, ast.Attribute) and function.attr in _LOG_METHODS):
            continue
        if _name_of(function.value) not in _LOGGERS:
            continue
        if any(not isinstance(argument, ast.Constant) for argument in call.args):
            yield _at(module, call, "log text is built from data; use a constant event and keywords")
        for keyword in call.keywords:
            if keyword.arg in {None, "value", "text", "term", "name", "number", "address", "body", "token", "exc_info"}:
                yield _at(module, call, f"log keyword {keyword.arg!r} could carry a protected value")


def unexplained_exceptions(module: Module) -> Iterator[Finding]:
    """Each ``noqa`` and ``type: ignore`` names its code and, after it, the reason."""
    for line, comment in _comments(module.text):
        for pattern in (r"#\s*noqa\b(?P<rest>.*)", r"#\s*type:\s*ignore\b(?P<rest>.*)"):
            match = re.search(pattern, comment)
            if match and not _CODE_AND_REASON.match(match["rest"]):
                yield Finding(module.path, line, f"exception without code or reason: {comment.strip()}")


def unfinished(module: Module) -> Iterator[Finding]:
    """Unfinished or switched-off work is not committed."""
    words = "|".join(("TO" + "DO", "FIX" + "ME", "pragma: no" + " cover"))
    for line, comment in _comments(module.text):
        if re.search(rf"\b(?:{words})\b", comment):
            yield Finding(module.path, line, "unfinished or switched off")
    for node in ast.walk(module.tree):
        # Catching it is fine: zipfile raises it for an unknown compression.
        if isinstance(node, ast.Raise) and node.exc and _name_of(node.exc) == "NotImplemented" + "Error":
            yield _at(module, node, "unfinished: what comes later is absent, not stubbed")


def empty_tests(module: Module) -> Iterator[Finding]:
    """Each test asserts something, itself or through a helper of its module."""
    if not module.path.rsplit("/", maxsplit=1)[-1].startswith("test_"):
        return
    functions = list(_functions(module.tree))
    asserting = {function.name for function in functions if _asserts(function, set())}
    for function in functions:
        if function.name.startswith("test") and not _asserts(function, asserting - {function.name}):
            yield _at(module, function, f"{function.name} asserts nothing")
        for node in ast.walk(function):
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant):
                yield _at(module, node, f"{function.name} asserts a constant")


_CODE_AND_REASON = re.compile(
    r"(?::\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*|\[[a-z-]+(?:\s*,\s*[a-z-]+)*\])\W+\w+\W+\w+"
)


def _asserts(function: ast.AST, helpers: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = _name_of(node.func)
            if (
                name in helpers
                or name in {"raises", "warns", "fail"}
                or re.match(r"_?(assert|check|expect|must)_?", name)
            ):
                return True
    return False


def _at(module: Module, node: ast.stmt | ast.expr, what: str) -> Finding:
    return Finding(module.path, node.lineno, what)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _method_calls(module: Module, method: str) -> Iterator[ast.Call]:
    return (call for call in _calls(module.tree) if isinstance(call.func, ast.Attribute) and call.func.attr == method)


def _is_work(call: ast.Call) -> bool:
    # Services end their transaction by telling the unit of work to: `work.commit()`.
    return isinstance(call.func, ast.Attribute) and _name_of(call.func.value) in {"work", "_work"}


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _is_generator(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _is_context_manager(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(_name_of(decorator).endswith("contextmanager") for decorator in function.decorator_list)


def _registers_get(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call):
        return False
    if _name_of(decorator.func) in {"get", "head"}:
        return True
    methods = next((keyword.value for keyword in decorator.keywords if keyword.arg == "methods"), None)
    names = {node.value for node in ast.walk(methods) if isinstance(node, ast.Constant)} if methods else set()
    return bool(names & {"GET", "HEAD"})


def _handlers_of_get(module: Module) -> set[str]:
    """Name the functions that are given to ``Route`` for GET, or to the console's ``shown``."""
    names = set()
    for call in _calls(module.tree):
        maker = _name_of(call.func)
        methods = {
            node.value for keyword in call.keywords for node in ast.walk(keyword) if isinstance(node, ast.Constant)
        }
        if maker == "shown" or (maker == "Route" and (not methods or methods & {"GET", "HEAD"})):
            names |= {argument.id for argument in call.args if isinstance(argument, ast.Name)}
    return names


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _name_of(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        for name in _names_in(node):
            yield line, name


def _names_in(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.keyword(arg=str(name)):
            return (name,)
        case ast.alias(name=name, asname=alias):
            return tuple(part for part in (*name.split("."), alias) if part)
        case ast.Constant(value=str(text)) if re.fullmatch(r"[a-z]+(?:_[a-z]+)*", text):
            return (text,)  # a column, a JSON key, an entry kind
        case _:
            return ()


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
