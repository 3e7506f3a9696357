import json
import sys
import time
import traceback

import pytest

from registry.domain.errors import UnreadableDocument
from registry.text.strict_json import MAX_DEPTH, MAX_DOCUMENT_BYTES, parse_json


def code_of(raw: bytes) -> str:
    with pytest.raises(UnreadableDocument) as refusal:
        parse_json(raw)
    assert str(refusal.value) == refusal.value.code
    return refusal.value.code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b" ", "not_json"),
        (b"{", "not_json"),
        (b'{"a":1}x', "not_json"),
        (b'{"a":1}{"a":2}', "not_json"),
        (b'{"a":1,}', "not_json"),
        (b"{'a':1}", "not_json"),
        (b"{a:1}", "not_json"),
        (b'{"a":01}', "not_json"),
        (b'{"a":+1}', "not_json"),
        (b'{"a":.5}', "not_json"),
        (b'{"a":5.}', "not_json"),
        (b'{"a":0x1F}', "not_json"),
        (b'["\t"]', "not_json"),
        (b'["\\x41"]', "not_json"),
        (b'["\\u12"]', "not_json"),
        (b"[1] // no", "not_json"),
        (b"[1,\x0c2]", "not_json"),
        (b"[\xc2\xa01]", "not_json"),
        (b"\x00", "not_json"),
        (b'{"a":\x001}', "not_json"),
        ("[١]".encode(), "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        ("{}".encode("utf-16-be"), "not_json"),
        ("{}".encode("utf-16"), "not_utf8"),
        ("{}".encode("utf-32"), "not_utf8"),
        (b'["\xe9"]', "not_utf8"),
        (b'["\xc0\xaf"]', "not_utf8"),
        (b'["\xed\xa0\x80"]', "not_utf8"),
        (b'["\xf4\x90\x80\x80"]', "not_utf8"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key"),
        (b'[{"b":{"a":1,"a":2}}]', "duplicate_key"),
        (b'["\\ud800"]', "lone_surrogate"),
        (b'["\\udc00\\ud800"]', "lone_surrogate"),
        (b'["a\\ud800b"]', "lone_surrogate"),
        (b'{"\\udbff":1}', "lone_surrogate"),
        (b'{"a":[{"b":"\\uDEAD"}]}', "lone_surrogate"),
        (b"[NaN]", "nan_or_infinity"),
        (b"[Infinity]", "nan_or_infinity"),
        (b"[-Infinity]", "nan_or_infinity"),
        (b"[1e400]", "number_out_of_range"),
        (b"[-123123e100000]", "number_out_of_range"),
        (b"[9223372036854775808]", "number_out_of_range"),
        (b"[-9223372036854775809]", "number_out_of_range"),
        (b"[" + b"9" * 5000 + b"]", "number_out_of_range"),
    ],
)
def test_refuses_what_is_no_strict_json(raw, code):
    assert code_of(raw) == code


def test_reads_plain_json():
    raw = ' {"a":[1,-0,2.5e3,true,false,null,"\\u00e9\\ud83d\\ude00\\\\ud800"],"é":{}} \r\n'.encode()
    assert parse_json(raw) == {"a": [1, 0, 2500.0, True, False, None, "é😀\\ud800"], "é": {}}
    assert parse_json(b"[9223372036854775807]") == [2**63 - 1]
    assert parse_json(b'"x"') == "x"


def nested(depth: int, core: str = "") -> bytes:
    return ("[" * depth + core + "]" * depth).encode()


def test_depth_limit_is_exact():
    parse_json(nested(MAX_DEPTH))
    parse_json(nested(MAX_DEPTH, "1"))
    parse_json(('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH).encode())
    assert code_of(nested(MAX_DEPTH + 1)) == "too_deep"
    assert code_of(nested(MAX_DEPTH + 1, "1")) == "too_deep"
    assert code_of(('{"a":' * 33 + "1" + "}" * 33).encode()) == "too_deep"
    assert code_of(nested(MAX_DEPTH, '"\\ud800"')) == "lone_surrogate"


def test_very_deep_nesting_is_refused_not_a_crash():
    assert code_of(nested(100_000)) == "too_deep"
    assert code_of(b"[" * 500_000) == "too_deep"
    assert code_of(b'{"a":' * 100_000) == "too_deep"


def test_size_limit_comes_before_reading():
    assert code_of(b"{" * (MAX_DOCUMENT_BYTES + 1)) == "too_large"
    fits = b'"' + b"x" * (MAX_DOCUMENT_BYTES - 2) + b'"'
    assert len(parse_json(fits)) == MAX_DOCUMENT_BYTES - 2
    with pytest.raises(UnreadableDocument, match="too_large"):
        parse_json(b"[1,2]", max_bytes=4)


def test_long_numbers_do_not_cost_quadratic_time():
    raw = b"[" + b"9" * 1_000_000 + b"]"
    began = time.process_time()
    assert code_of(raw) == "number_out_of_range"
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "raw",
    [
        b'{"Zq7Marker":1,"Zq7Marker":2}',
        b'{"a":"Zq7Marker"',
        b'{"a":"Zq7Marker\xff"}',
        b'["Zq7Marker",NaN]',
        b'["Zq7Marker\\ud800"]',
    ],
)
def test_nothing_of_the_document_hangs_on_the_exception(raw):
    """Not in its text, not in a chained exception (those of json and of the codec hold the whole document)."""
    with pytest.raises(UnreadableDocument) as caught:
        parse_json(raw)
    refusal = caught.value
    assert refusal.__context__ is None
    assert refusal.__cause__ is None
    assert "Zq7Marker" not in repr(vars(refusal))
    lines = "".join(traceback.format_exception(refusal))
    assert "Zq7Marker" not in lines.replace(repr(raw), "")


def test_recursion_limit_is_left_alone():
    before = sys.getrecursionlimit()
    code_of(nested(50_000))
    assert sys.getrecursionlimit() == before
    assert parse_json(json.dumps({"a": 1}).encode()) == {"a": 1}
