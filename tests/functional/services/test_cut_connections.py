"""A connection to PostgreSQL that is cut around a COMMIT: no plaintext, nothing twice, nothing acknowledged lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, Contended
from registry.domain.principals import Role
from registry.services.disclose import Disclosed
from registry.vault.vault import Vault
from tests.fakes.cutting_proxy import Cut, CuttingProxy
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import Home, open_copy, person


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(postgres.folder) as opened:
        yield opened


@pytest.fixture
def far_home(
    postgres: PostgresServer, postgres_template: tuple[Path, str], proxy: CuttingProxy, tmp_path: Path
) -> Iterator[Home]:
    """A registry whose database is behind the proxy."""
    template, made = postgres_template
    name = postgres.create_database(made)
    url = f"postgresql+psycopg://registry_server@/{name}?host={proxy.folder}"
    opened = open_copy(template, tmp_path / "home", url)
    yield opened
    opened.close()
    postgres.drop_database(name)


@pytest.mark.parametrize("cut", [Cut.ANSWER, Cut.REQUEST])
def test_an_enrollment_without_an_answer_is_repeated_and_stands_once(
    far_home: Home, proxy: CuttingProxy, cut: Cut
) -> None:
    far_home.caller("hr", Role.ENROLLER)
    proxy.cut_next(cut)
    with pytest.raises(AuditUnavailable) as lost:
        far_home.enroll(key="k")
    assert (lost.value.cause, type(lost.value)) == ("connection_lost", AuditUnavailable)
    assert not isinstance(lost.value, Contended)
    again = far_home.enroll(key="k")
    assert again.is_replay == (cut is Cut.ANSWER)
    assert far_home.enroll(key="k").subject == again.subject
    with far_home.app.database.read() as work:
        assert len(work.subjects.by_number_tags([far_home.app.kernel.number_tag("T-0001")])) == 1
    assert proxy.cuts == 1
    verify_ledger(far_home.app, 1)


@pytest.mark.parametrize("cut", [Cut.ANSWER, Cut.REQUEST])
def test_a_lookup_without_an_answer_opens_nothing(
    far_home: Home, proxy: CuttingProxy, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = far_home.enroll().subject
    reader = far_home.caller("reader", Role.READER)
    size = len(far_home.entries())
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "open", lambda *_: pytest.fail("opened"))
        proxy.cut_next(cut)
        with pytest.raises(AuditUnavailable) as lost:
            far_home.disclose(reader, far_home.ask(subject, Category.PHONE))
    assert lost.value.cause == "connection_lost"
    assert len(far_home.entries()) == size + (cut is Cut.ANSWER)
    assert isinstance(far_home.disclose(reader, far_home.ask(subject, Category.PHONE)), Disclosed)
    verify_ledger(far_home.app, 1)


def test_others_go_on_while_one_is_cut(far_home: Home, proxy: CuttingProxy) -> None:
    far_home.enroll()
    proxy.cut_next(Cut.ANSWER)
    with pytest.raises(AuditUnavailable):
        far_home.enroll(person("T-0002"))
    assert far_home.enroll(person("T-0003")).version == 1
    verify_ledger(far_home.app, 1)
