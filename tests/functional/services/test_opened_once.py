"""In a dump everybody is opened once, and nobody is left out for the number of people in one part."""

from __future__ import annotations

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.dossier import Dossier, DossierRecord
from registry.services.opened_once import OpenedOnce

ANA, BO = SubjectId("a" * 32), SubjectId("b" * 32)


def dossier(subject: SubjectId, *versions: int) -> Dossier:
    records = tuple(
        DossierRecord(RecordId("r" + subject), Category.SSN, "ssn", None, {"number": "736-45-6789"}, version)
        for version in versions
    )
    return Dossier(subject, "1", "Ana", "Roe", records=records)


def test_who_is_open_is_not_opened_again() -> None:
    opened = OpenedOnce()
    opened.keep([dossier(ANA, 1)], {ANA})
    assert opened.of([ANA, BO], {ANA: {(RecordId("r" + ANA), 1)}}).keys() == {ANA}


def test_a_version_that_is_not_open_is_opened() -> None:
    opened = OpenedOnce()
    opened.keep([dossier(ANA, 2)], {ANA})
    assert opened.of([ANA], {ANA: {(RecordId("r" + ANA), 1)}}) == {}
    assert opened.older(ANA) == {(RecordId("r" + ANA), 2)}


def test_of_those_in_whom_nothing_was_found_the_last_are_kept() -> None:
    opened = OpenedOnce(most_others=1)
    opened.keep([dossier(ANA, 1), dossier(BO, 1)], set())
    assert opened.of([ANA, BO], {}).keys() == {BO}
    assert opened.found() == []


def test_who_was_found_is_kept_whatever_comes_after() -> None:
    opened = OpenedOnce(most_others=0)
    opened.keep([dossier(ANA, 1)], {ANA})
    opened.keep([dossier(ANA, 1, 2), dossier(BO, 1)], set())
    assert [one.subject for one in opened.found()] == [ANA]
    assert opened.versions() == {RecordId("r" + ANA): (1, 2)}
