"""Whatever is sent, the intake answers with a valid enrollment or with one of its own refusals that tell nothing."""

from __future__ import annotations

import json
import traceback
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.domain.errors import InvalidInput, UnreadableDocument
from registry.text.intake import canonical_document, read_changes, read_enrollment, settle_versions
from registry.text.strict_json import parse_json
from tests.unit.text_rules.people import outcome, whole

TODAY = date(2026, 3, 1)
MARKER = "Zq7Marker"
RECORD = "0" * 31 + "1"

texts = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(), max_size=8),
    st.sampled_from(
        ["", " ", MARKER, MARKER + "\x00", "<" + MARKER, "736-45-6789", "816-555-0123", "2000-01-01", "c1"]
    ),
    st.text("0123456789-+() .x", max_size=24),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
known_keys = st.sampled_from(
    [
        *("employee_number", "given_name", "family_name", "department", "title", "family", "records"),
        *("ref", "relation", "category", "value", "member", "confidentiality", "basis", "starts_on", "ends_on"),
        *("line", "street", "city", "kind", "number", "date", "name", "statement", "address", "plate", "state"),
        *("add_family", "add_records", "versions", "marks", "ends", "record"),
    ]
)
keys = st.one_of(known_keys, texts)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
)


def places(document: object) -> list[tuple[object, object]]:
    """Return every (holder, key) of a document."""
    if isinstance(document, dict):
        inside = list(document.items())
    elif isinstance(document, list):
        inside = list(enumerate(document))
    else:
        return []
    return [place for key, item in inside for place in [(document, key), *places(item)]]


def told(refusal: Exception) -> str:
    return "".join(traceback.format_exception_only(refusal)) + repr(refusal.args) + repr(vars(refusal))


@given(st.binary(max_size=200) | documents.map(lambda document: json.dumps(document).encode()))
def test_any_bytes_are_read_or_refused(raw):
    document = outcome(parse_json, raw)
    if isinstance(document, UnreadableDocument):
        assert document.__context__ is None
    else:
        assert json.loads(raw) == document
        json.dumps(document, ensure_ascii=False).encode()


@given(documents)
def test_any_document_is_taken_or_refused(document):
    for reader in (read_enrollment, read_changes):
        result = outcome(reader, document, today=TODAY)
        if isinstance(result, InvalidInput):
            assert result.problems
            assert MARKER not in told(result)


@given(st.data())
@settings(max_examples=300)
def test_one_thing_changed_in_a_good_document(data):
    """The replaced value never shows; a document that is still taken comes back exactly as it was sent."""
    document = whole()
    holder, key = data.draw(st.sampled_from(places(document)))
    replacement = data.draw(documents)
    if isinstance(holder, dict) and data.draw(st.booleans()):
        holder[data.draw(st.sampled_from([MARKER, "a/b", MARKER + "~", "Kind"]))] = replacement
    else:
        holder[key] = replacement
    enrollment = outcome(read_enrollment, document, today=TODAY)
    if isinstance(enrollment, InvalidInput):
        assert MARKER not in told(enrollment)
        return
    assert enrollment.employee_number == document["employee_number"]
    assert [dict(entry.value) for entry in enrollment.records] == [
        record["value"] for record in document.get("records", [])
    ]
    canonical_document(enrollment)


@given(
    st.sampled_from(sorted(Category)), st.dictionaries(known_keys | st.just(MARKER), scalars | documents, max_size=4)
)
def test_any_new_value_is_settled_or_refused(category, value):
    drafts = read_changes({"versions": [{"record": RECORD, "value": value}]}, today=TODAY).versions
    settled = outcome(settle_versions, drafts, {RECORD: category}, today=TODAY)
    if isinstance(settled, InvalidInput):
        assert MARKER not in told(settled)
    else:
        assert settled[0].value == value
        assert all(isinstance(text, str) for text in value.values())


def pointed_at(document: object, pointer: str) -> bool:
    """Follow a pointer; the last step may be a key that is missing from an object."""
    steps = pointer.split("/")[1:]
    for left, step in enumerate(steps, start=1 - len(steps)):
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return left == 0 and isinstance(document, dict)
    return True


@given(st.data())
def test_pointers_lead_somewhere_in_the_document(data):
    document = whole()
    for _ in range(data.draw(st.integers(1, 4))):
        holder, key = data.draw(st.sampled_from(places(document)))
        holder[key] = data.draw(documents)
    result = outcome(read_enrollment, document, today=TODAY)
    if isinstance(result, InvalidInput):
        assert all(pointed_at(document, problem.pointer) for problem in result.problems)


@given(st.permutations(range(9)), st.permutations(range(2)))
def test_order_has_no_meaning(record_order, family_order):
    document = whole()
    document["records"] = [document["records"][place] for place in record_order]
    document["family"] = [document["family"][place] for place in family_order]
    assert canonical_document(read_enrollment(document, today=TODAY)) == canonical_document(
        read_enrollment(whole(), today=TODAY)
    )
