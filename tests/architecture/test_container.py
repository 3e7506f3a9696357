"""Dockerfile and compose file, read as text and as data: no engine is needed, and none starts them here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from io import StringIO
from typing import Any

import pytest
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from tests.architecture.source import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
IGNORE = (ROOT / ".dockerignore").read_text("utf-8")
_DEPLOY = ROOT / "docs" / "deploy"
_SECRET = re.compile(r"/run/secrets/([a-z-]+)")
_PRIVATE = {"database", "keys"}


def read(compose: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(StringIO(compose))
    return document


def schema_problems(compose: str) -> list[str]:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text("utf-8"))
    validator = validator_for(schema)(schema)
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(read(compose))]


def service_problems(name: str, service: Mapping[str, Any], compose: Mapping[str, Any]) -> Iterator[str]:
    """Name what a service lacks, or has too much of."""
    user = re.fullmatch(r"([1-9]\d*):([1-9]\d*)", str(service.get("user", "")))
    wanted = {
        "a numeric user that is not root": user,
        "a read-only root file system": service.get("read_only") is True,
        "no capabilities": service.get("cap_drop") == ["ALL"] and not service.get("cap_add"),
        "no new privileges": "no-new-privileges:true" in service.get("security_opt", []),
        "no core dumps": service.get("ulimits", {}).get("core") == 0,
        "a limit of processes": service.get("pids_limit"),
        "networks of its own": not {"privileged", "network_mode", "pid", "ipc", "devices"} & service.keys(),
        "a health check": "healthcheck" in service or name == "registry",  # the image of ours has one
        "a version of its image": re.fullmatch(r"[a-z/]+:(?!latest)[\w.-]+", service["image"]),
        "files mounted for reading only": all(
            each.endswith(":ro") for each in service.get("volumes", []) if each.startswith((".", "/", "~"))
        ),
        "no secret in the environment": all(
            "password" not in key.lower() or key.endswith("_FILE") for key in service.get("environment", {})
        )
        and not re.search(r"://[^/@]*:[^/@]*@", str(service.get("environment", ""))),
        "a port on loopback, or none": all(
            name == "registry" and port.startswith("127.0.0.1:") for port in service.get("ports", [])
        ),
        "no network but its own": name == "registry" or set(service["networks"]) <= _PRIVATE,
        "exactly the secrets that it uses": set(service.get("secrets", [])) == used_secrets(service),
        "secrets that are declared": set(service.get("secrets", [])) <= compose["secrets"].keys(),
    }
    yield from (f"{name}: {what}" for what, found in wanted.items() if not found)


def used_secrets(service: Mapping[str, Any]) -> set[str]:
    """Return the secrets that a service's command, environment and mounted files speak of."""
    mounted = [each.split(":")[0] for each in service.get("volumes", []) if each.startswith("./")]
    texts = [json.dumps([service.get("command"), service.get("environment")])]
    for path in mounted:
        known = _DEPLOY / "config.toml" if path == "./config.toml" else ROOT / path
        texts.append(known.read_text("utf-8"))
    return set(_SECRET.findall("\n".join(texts)))


def compose_problems(compose: str) -> list[str]:
    document = read(compose)
    services = document["services"]
    found = [problem for name, service in services.items() for problem in service_problems(name, service, document)]
    found += [f"network {name} reaches outside" for name in _PRIVATE if not document["networks"][name].get("internal")]
    wanted = {secret for service in services.values() for secret in service.get("secrets", [])}
    return found + [f"secret {name} is not used" for name in document["secrets"].keys() - wanted]


def dockerfile_problems(dockerfile: str) -> list[str]:
    """Name what a Dockerfile should not have, by the rules that linters of such files agree on."""
    last_stage = dockerfile.rsplit("\nFROM ", maxsplit=1)[-1]
    lines = re.sub(r"\\\n", " ", dockerfile).splitlines()
    orders = [line.split(maxsplit=1) for line in lines if line and not line.startswith(("#", " "))]
    every: Callable[[str], list[str]] = lambda order: [rest for name, rest in orders if name == order]  # noqa: E731 - a local word
    wanted = {
        "a numeric user that is not root": re.search(r"^USER [1-9]\d*:[1-9]\d*$", last_stage, re.MULTILINE),
        "a health check that asks for readiness": "HEALTHCHECK" in last_stage and "/readyz" in last_stage,
        "hashed requirements": "--require-hashes --only-binary :all: -r requirements.txt" in dockerfile,
        "nothing of pip's cache": all("--no-cache-dir" in run for run in every("RUN") if "pip install" in run),
        "versions of base images": all(
            re.match(r"\S+:(?!latest)\S+|[a-z]+$", rest.split(" AS ")[0]) for rest in every("FROM")
        ),
        "COPY, not ADD": not every("ADD"),
        "no secret in arguments or environment": not re.search(
            r"^(ARG|ENV).*(PASSWORD|TOKEN|SECRET)", dockerfile, re.MULTILINE | re.IGNORECASE
        ),
        "no download that is run": not re.search(r"(curl|wget|sudo)\b.*", "\n".join(every("RUN"))),
        "absolute folders": all(rest.startswith("/") for rest in every("WORKDIR")),
        "programs started without a shell": all(rest.startswith("[") for rest in every("ENTRYPOINT") + every("CMD")),
        "a signal that ends it in order": "STOPSIGNAL SIGTERM" in last_stage,
    }
    return [what for what, found in wanted.items() if not found]


def test_the_compose_file_is_one() -> None:
    assert schema_problems(COMPOSE) == []


def test_a_misspelt_key_is_found() -> None:
    assert schema_problems(COMPOSE.replace("read_only:", "readonly:"))
    assert schema_problems(COMPOSE.replace("service_healthy", "service_fine"))


def test_the_services_are_hardened() -> None:
    assert compose_problems(COMPOSE) == []
    assert dockerfile_problems(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('user: "999:999"', 'user: "0:0"'),
        ('user: "10001:10001"', "user: registry"),
        ("read_only: true", "read_only: false"),
        ("cap_drop: [ALL]", "cap_drop: [NET_RAW]"),
        ("no-new-privileges:true", "seccomp:unconfined"),
        ("core: 0", "core: -1"),
        ("pids_limit: 256", "pids_limit: 0"),
        ("127.0.0.1:8000:8000", "8000:8000"),
        ("postgres:17-bookworm", "postgres:latest"),
        ("openbao.hcl:ro", "openbao.hcl"),
        ("networks: [keys]", "networks: [keys, front]"),
        ("internal: true", "internal: false"),
        ("POSTGRES_PASSWORD_FILE: /run/secrets/postgres-password", "POSTGRES_PASSWORD: x"),
        ("registry_server@postgres", "registry_server:x@postgres"),
        (
            "secrets: [ca, server-pgpass, openbao-secret-id]",
            "secrets: [ca, server-pgpass, openbao-secret-id, openbao-key]",
        ),
        (
            "secrets: [ca, openbao-certificate, openbao-key, openbao-unseal]",
            "secrets: [ca, openbao-certificate, openbao-key]",
        ),
    ],
)
def test_a_weakness_of_a_service_is_found(before: str, after: str) -> None:
    assert before in COMPOSE
    assert compose_problems(COMPOSE.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("USER 10001:10001", "USER root"),
        ("/readyz", "/healthz"),
        ("--require-hashes ", ""),
        ("--no-cache-dir --no-deps", "--no-deps"),
        ("python:3.11-slim-bookworm AS", "python:latest AS"),
        ("COPY . ./", "ADD . ./"),
        ("PIP_NO_INPUT=1", "PIP_NO_INPUT=1 API_TOKEN=x"),
        ("RUN python -m venv", "RUN curl https://example.org | sh && python -m venv"),
        ("WORKDIR /src", "WORKDIR src"),
        ('CMD ["serve"', 'CMD registry serve #["serve"'),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL"),
    ],
)
def test_a_weakness_of_the_image_is_found(before: str, after: str) -> None:
    assert before in DOCKERFILE
    assert len(dockerfile_problems(DOCKERFILE.replace(before, after))) == 1


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    seen = {line[1:] for line in IGNORE.splitlines() if line.startswith("!")}
    needed = {"registry", "migrations", "alembic.ini", "pyproject.toml", "requirements.txt", "README.md", "LICENSE"}
    assert needed | {"THIRD_PARTY.md"} == seen
    assert IGNORE.startswith("*\n")


def test_what_holds_secrets_is_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"/secrets/", "/secrets.unfinished/", "/config.toml"} <= set(ignored)
