"""Who is left out early in choosing whose values to open would not have been chosen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.ids import SubjectId
from registry.leaktrace import select
from registry.leaktrace.reading import Reading, read_text
from registry.leaktrace.select import Hits, select_subjects
from registry.leaktrace.terms import Term

_ROWS = "".join(
    f"Dana{letter},Brightwater,{1200 + number} Larkspur Ave,816-555-01{number:02},1984-02-{number + 10},Mia O'Neil\n"
    for number, letter in enumerate("abcdefgh")
)
READING = read_text(
    "Dana Brightwater, born February 10 1984, phone ending in 0101; Mia goes to Larch Hill Elementary School.\n\n"
    f"first,last,address,phone,born,child\n{_ROWS}"
)
TERMS = sorted(READING.terms, key=lambda term: (term.kind, term.text))
HITS = st.dictionaries(
    st.sampled_from(TERMS),
    st.sets(st.integers(0, 6).map(lambda number: SubjectId(f"s{number}")), max_size=4),
    max_size=40,
)


def every(reading: Reading, hits: Hits) -> tuple[SubjectId, ...]:
    """Choose by the rule alone, everybody looked at."""
    best: dict[SubjectId, float] = {}
    scopes = {words.scope for words in reading.passages}
    for subject in {subject for found in hits.values() for subject in found}:
        own = [term for term, found in hits.items() if subject in found]
        for scope in scopes:
            fields: dict[str, dict[Term, float]] = {}
            for term in own:
                if term.kind in select.WEIGHTS and scope in reading.scopes(term):
                    weight = select.WEIGHTS[term.kind]
                    fields.setdefault(weight.field, {})[term] = weight.bits
            bits = select._enough(select._members_apart(reading, scope, fields)) if fields else 0
            if bits:
                best[subject] = max(bits, best.get(subject, 0.0))
    return tuple(sorted(best, key=lambda subject: (-best[subject], subject)))


@settings(deadline=None)
@given(HITS)
def test_the_same_people_in_the_same_order_are_chosen(hits: Hits) -> None:
    assert select_subjects(READING, hits, limit=100) == every(READING, hits)


def test_rows_are_rows() -> None:
    assert len(READING.passages) > 8
