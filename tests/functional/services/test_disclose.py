"""No receipt, no plaintext: the order of things, refusals on record, and one bad ask costing nobody else theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.audit.receipt import Receipt
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, EnvelopeRejected, ReceiptRefused
from registry.domain.ids import SubjectId, new_id
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.disclose import Disclosed, Failed, Refused
from registry.vault.revealed import RevealedField
from registry.vault.sealed import SealedField
from registry.vault.vault import Vault
from tests.functional.services.homes import Home, person


def values(answer: object) -> dict[str, dict[str, str]]:
    assert isinstance(answer, Disclosed)
    return {field.category: dict(field.expose()) for field in answer.fields}


def refused(answer: object) -> str:
    assert isinstance(answer, Refused)
    return answer.reason


def test_a_card_comes_back_as_entered(home: Home) -> None:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    shown = values(home.disclose(reader, home.ask(subject, *Category)))
    for record in person()["records"]:
        if record["category"] not in ("payment_card", "home_address"):
            assert shown[record["category"]] == record["value"]
    assert shown["home_address"]["line"] == "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"


def test_a_card_number_is_never_kept(home: Home) -> None:
    subject = home.enroll().subject
    shown = values(home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PAYMENT_CARD)))
    assert shown["payment_card"]["last_four"] == "1111"
    assert "411111" not in str({name: text for name, text in shown["payment_card"].items() if name != "digest"})


def test_the_entry_is_committed_before_anything_is_opened(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    real = Vault.open
    other = home.sql()
    seen: list[int] = []

    def watched(self: Vault, field: SealedField, receipt: Receipt) -> RevealedField:
        (size,) = other.execute("SELECT n FROM ledger_head").fetchone()
        (kept,) = other.execute("SELECT count(*) FROM ledger_leaf WHERE i = ?", (receipt.index,)).fetchone()
        assert kept == 1
        seen.append(size - receipt.index)
        return real(self, field, receipt)

    monkeypatch.setattr(Vault, "open", watched)
    home.disclose(reader, home.ask(subject, Category.PHONE, Category.SSN))
    assert seen == [1, 1]


def test_every_refusal_is_an_entry_and_opens_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = home.enroll(
        person(records=[{**record, "confidentiality": "sealed"} for record in person()["records"][:2]])
    )
    elsewhere = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}}
    other = home.enroll(person("T-0002", records=[elsewhere])).subject
    monkeypatch.setattr(Vault, "open", lambda *_: pytest.fail("opened"))
    reader = home.caller("reader", Role.READER, number="T-0002")
    auditor = home.caller("auditor", Role.AUDITOR)
    payroll = Purpose(PurposeCode("payroll"))
    cases = [
        (auditor, home.ask(other, Category.PHONE), "not_permitted"),
        (reader, home.ask(other, Category.PHONE), "conflict_of_interest"),
        (reader, home.ask(subject.subject, Category.HEALTH, purpose=payroll), "purpose_not_allowed"),
        (reader, home.ask(SubjectId(new_id()), Category.PHONE), "not_found"),
    ]
    for caller, ask, reason in cases:
        before = len(home.entries())
        answer = home.disclose(caller, ask)
        assert refused(answer) == reason
        entry = home.entries()[-1]
        assert len(home.entries()) == before + 1
        assert isinstance(answer, Refused)
        assert (entry.index, entry.kind) == (answer.receipt.index, "deny")
        assert entry.values is not None
        assert entry.values["result"] == f"denied {reason}"


def test_an_unknown_person_and_one_without_permission_look_the_same_to_a_stranger(home: Home) -> None:
    subject = home.enroll().subject
    stranger = home.caller("auditor", Role.AUDITOR)
    known = home.disclose(stranger, home.ask(subject, Category.PHONE))
    unknown = home.disclose(stranger, home.ask(SubjectId(new_id()), Category.PHONE))
    assert refused(known) == refused(unknown) == "not_permitted"


def test_a_token_can_only_narrow_the_table(home: Home) -> None:
    subject = home.enroll().subject
    reader = home.caller("reader", Role.READER)
    narrowed = replace(reader, claims=replace(reader.claims, roles=frozenset({Role.AUDITOR})))
    assert refused(home.disclose(narrowed, home.ask(subject, Category.PHONE))) == "not_permitted"
    wished = home.caller("auditor", Role.AUDITOR)
    widened = replace(wished, claims=replace(wished.claims, roles=frozenset(Role)))
    assert refused(home.disclose(widened, home.ask(subject, Category.PHONE))) == "not_permitted"


def test_an_unwritable_ledger_answers_nobody(sqlite_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = sqlite_home.enroll().subject
    reader = sqlite_home.caller("reader", Role.READER)
    (sqlite_home.app.settings.home / "registry.db").rename(sqlite_home.app.settings.home / "elsewhere.db")
    monkeypatch.setattr(Vault, "open", lambda *_: pytest.fail("opened"))
    with pytest.raises(AuditUnavailable) as unavailable:
        sqlite_home.disclose(reader, sqlite_home.ask(subject, Category.PHONE))
    assert unavailable.value.cause == "storage_missing"


def test_a_replaced_database_file_is_noticed(sqlite_home: Home) -> None:
    subject = sqlite_home.enroll().subject
    reader = sqlite_home.caller("reader", Role.READER)
    path = sqlite_home.app.settings.home / "registry.db"
    other = sqlite_home.app.settings.home / "copy.db"
    other.write_bytes(path.read_bytes())
    other.rename(path)
    with pytest.raises(AuditUnavailable) as unavailable:
        sqlite_home.disclose(reader, sqlite_home.ask(subject, Category.PHONE))
    assert unavailable.value.cause == "replaced_file"


def test_one_unreadable_card_costs_nobody_else_theirs(home: Home) -> None:
    good, bad = home.enroll().subject, home.enroll(person("T-0002")).subject
    home.sql().execute(
        "UPDATE record_versions SET sealed = zeroblob(200), digest = zeroblob(32) "
        "WHERE record IN (SELECT id FROM records WHERE subject = ?)",
        (bad,),
    )
    reader = home.caller("reader", Role.READER)
    asks = [(reader, home.ask(one, Category.PHONE)) for one in (good, bad, good)]
    first, broken, last = home.app.disclose.disclose_many(asks)
    assert values(first) == values(last)
    assert isinstance(broken, Failed)
    assert isinstance(broken.error, EnvelopeRejected)
    assert broken.receipt is not None
    assert [entry.kind for entry in home.entries()[-4:]] == ["disclose", "disclose", "disclose", "outcome"]


def moved(home: Home, subject: SubjectId, other: SubjectId) -> None:
    sql = home.sql()
    pick = "(SELECT r.id FROM records r WHERE r.subject = ? AND r.category = 'phone')"
    sealed, digest = sql.execute(
        f"SELECT sealed, digest FROM record_versions WHERE record = {pick}",
        (other,),
    ).fetchone()
    sql.execute(
        f"UPDATE record_versions SET sealed = ?, digest = ? WHERE record = {pick}",
        (sealed, digest, subject),
    )


def test_a_value_moved_to_another_person_does_not_open(home: Home) -> None:
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    moved(home, subject, other)
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PHONE))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, EnvelopeRejected)


def test_a_receipt_of_one_card_opens_no_other(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    with home.app.database.read() as work:
        foreign = [row.field for row in work.records.of_subjects([other])]
    refusals = []
    real = Vault.open

    def greedy(self: Vault, field: SealedField, receipt: Receipt) -> RevealedField:
        for sealed in foreign:
            with pytest.raises(ReceiptRefused):
                real(self, sealed, receipt)
            refusals.append(sealed.record)
        return real(self, field, receipt)

    monkeypatch.setattr(Vault, "open", greedy)
    home.disclose(home.caller("reader", Role.READER), home.ask(mine, Category.PHONE))
    assert len(refusals) == len(foreign)


def test_the_subject_sees_their_own_card_and_nobody_elses(home: Home) -> None:
    mine, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    subject = home.caller("dana", Role.SUBJECT, number="T-0001")
    assert values(home.disclose(subject, home.ask(mine, *Category, purpose=None, via="self")))["ssn"]
    assert refused(home.disclose(subject, home.ask(other, *Category, purpose=None, via="self"))) == "not_permitted"
