"""Numbers, dates, addresses of mail and plates: what each category takes and with which code it refuses."""

from datetime import date

import pytest

from registry.text.rules.dates import born_by, day_problem
from registry.text.rules.email import email_problem
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.payment_card import card_problem
from registry.text.rules.phone import phone_problem
from registry.text.rules.ssn import ssn_problem
from registry.text.rules.vehicle_plate import plate_problem
from tests.unit.text_rules.people import problems_of, with_record

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.mark.parametrize(
    "text", ["736-45-6789", "736 45 6789", "736456789", "900-70-0001", "912-88-1234", "001-01-0001"]
)
def test_ssn_taken(text):
    assert ssn_problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("000-45-6789", "ssn_area"),
        ("666-45-6789", "ssn_area"),
        ("900-45-6789", "ssn_area"),
        ("999-99-9999", None),  # group 99 belongs to taxpayer numbers
        ("912-89-1234", "ssn_area"),
        ("912-93-1234", "ssn_area"),
        ("736-00-6789", "ssn_group"),
        ("736-45-0000", "ssn_serial"),
        ("078-05-1120", "ssn_never_valid"),
        ("219-09-9999", "ssn_never_valid"),
        ("736-45-678", "ssn_form"),
        ("736-45-67890", "ssn_form"),
        ("73-645-6789", "ssn_form"),
        ("736-456789", "ssn_form"),
        ("736-45 6789", "ssn_form"),
        ("736--45-6789", "ssn_form"),
        ("736.45.6789", "ssn_form"),
        ("736–45–6789", "ssn_form"),
        ("736\u00a045\u00a06789", "ssn_form"),
        ("7E6-45-6789", "ssn_form"),
        ("73O-45-6789", "ssn_form"),
        ("xxx-xx-6789", "ssn_form"),
        ("SSN 736-45-6789", "ssn_form"),
        ("736-45-6789\n", "ssn_form"),
        (" 736-45-6789", "ssn_form"),
        ("+736456789", "ssn_form"),
        ("736-45-6789".translate(FULL_WIDTH), "ssn_form"),
        ("736-45-6789".translate(ARABIC), "ssn_form"),
        ("736-45-678９", "ssn_form"),
    ],
)
def test_ssn_refused(text, code):
    assert ssn_problem(text) == code


PUBLISHED_CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904"]


@pytest.mark.parametrize(
    "text", [*PUBLISHED_CARDS, "4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005", "6304000000000000"]
)
def test_card_taken(text):
    assert card_problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4111111111111112", "luhn"),
        ("4111111111111121", "luhn"),
        ("41111111111", "card_length"),
        ("41111111111111111113", "card_length"),
        ("0000000000000000", "card_form"),
        ("411111111111111O", "card_form"),
        ("4111  1111 1111 1111", "card_form"),
        ("4111 1111 1111 1111 ", "card_form"),
        ("-4111111111111111", "card_form"),
        ("4111.1111.1111.1111", "card_form"),
        ("4111111111111111\n", "card_form"),
        ("4111111111111111".translate(FULL_WIDTH), "card_form"),
        ("4111111111111111".translate(ARABIC), "card_form"),
        ("4" + "-1" * 100, "card_form"),
        ("************1111", "card_form"),
    ],
)
def test_card_refused(text, code):
    assert card_problem(text) == code


def test_every_single_wrong_digit_of_a_card_is_noticed():
    number = PUBLISHED_CARDS[0]
    for position in range(1, len(number)):
        for digit in set("0123456789") - {number[position]}:
            assert card_problem(number[:position] + digit + number[position + 1 :]) == "luhn"


@pytest.mark.parametrize(
    "text",
    [
        "816-555-0123",
        "(816) 555-0123",
        "816.555.0123",
        "816 555 0123",
        "816/555-0123",
        "8165550123",
        "+18165550123",
        "+1 (816) 555-0123",
        "1-816-555-0123",
        "816-555-0123 x12",
        "816-555-0123 ext. 5",
        "816-555-0123, EXT 5",
        "816-555-0123 #5",
        "816\u2011555\u20110123",
        "800-555-0123",
        "+44 20 7946 0958",
        "011 44 20 7946 0958",
        "+49 30 23125 000",
    ],
)
def test_phone_taken(text):
    assert phone_problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("555", "phone_too_short"),
        ("555-0123", "phone_too_short"),
        ("816-555-012", "phone_too_short"),
        ("816-555-01234", "phone_too_long"),
        ("816-555-01234567890", "phone_too_long"),
        ("+1 816 555 0123 4567", "phone_too_long"),
        ("+999 1234567", "phone_country"),
        ("116-555-0123", "phone_area"),
        ("016-555-0123", "phone_area"),
        ("911-555-0123", "phone_area"),
        ("690-555-0123", "phone_area"),
        ("000-000-0000", "phone_area"),
        ("816-911-0123", "phone_exchange"),
        ("816-155-0123", "phone_exchange"),
        ("816-055-0123", "phone_exchange"),
        ("1-800-FLOWERS", "phone_form"),
        ("816-555-O123", "phone_form"),
        ("816-555-0123 or 816-555-0124", "phone_form"),
        ("816-555-0123 (home)", "phone_form"),
        ("call 816-555-0123", "phone_form"),
        ("tel:+18165550123", "phone_form"),
        ("(816 555-0123", "phone_form"),
        (")816( 555-0123", "phone_form"),
        ("816-555-0123\n", "phone_form"),
        ("816-555-0123\x00", "phone_form"),
        ("816-555-0123 x", "phone_form"),
        ("++18165550123", "phone_form"),
        ("=8165550123", "phone_form"),
        ("+", "phone_form"),
        ("8" * 41, "phone_form"),
        ("816-555-0123".translate(FULL_WIDTH), "phone_form"),
        ("816-555-0123".translate(ARABIC), "phone_form"),
    ],
)
def test_phone_refused(text, code):
    assert phone_problem(text) == code


def test_phone_kinds():
    for kind in ("home", "mobile", "work", "other"):
        assert problems_of(with_record("phone", {"kind": kind, "number": "816-555-0123"})) == []
    for kind in ("Mobile", "fax", "mobile\n"):
        document = with_record("phone", {"kind": kind, "number": "816-555-0123"})
        assert problems_of(document) == [("/records/0/value/kind", "not_one_of")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1984-02-29", None),
        ("2000-02-29", None),
        ("1926-01-01", None),
        ("1901-01-01", None),
        ("2026-03-01", None),
        ("2026-03-02", "in_the_future"),
        ("2027-01-01", "in_the_future"),
        ("9999-12-31", "in_the_future"),
        ("1900-12-31", "too_long_ago"),
        ("1804-05-05", "too_long_ago"),
        ("0001-01-01", "too_long_ago"),
        ("0000-01-01", "not_a_date"),
        ("1900-02-29", "not_a_date"),
        ("2023-02-29", "not_a_date"),
        ("1977-06-31", "not_a_date"),
        ("1977-13-01", "not_a_date"),
        ("1977-00-10", "not_a_date"),
        ("1977-01-00", "not_a_date"),
        ("1977-1-1", "not_a_date"),
        ("77-01-01", "not_a_date"),
        ("19770101", "not_a_date"),
        ("1977-W09-4", "not_a_date"),
        ("1977-060", "not_a_date"),
        ("1977.09.23", "not_a_date"),
        ("1977/09/23", "not_a_date"),
        ("09/23/1977", "not_a_date"),
        ("1977–09–23", "not_a_date"),
        ("1977-09-23T00:00:00Z", "not_a_date"),
        ("1977-09-23\n", "not_a_date"),
        (" 1977-09-23", "not_a_date"),
        ("-977-09-23", "not_a_date"),
        ("next Monday", "not_a_date"),
        ("１９７７-09-23", "not_a_date"),
        ("1977-09-23".translate(ARABIC), "not_a_date"),
    ],
)
def test_birth_dates(text, code):
    assert born_by(date(2026, 3, 1))(text) == code


def test_nobody_over_125_years_and_nobody_before_1900():
    assert born_by(date(2026, 3, 1))("1901-01-01") is None
    assert born_by(date(2030, 3, 1))("1901-01-01") == "too_long_ago"
    assert born_by(date(2020, 3, 1))("1899-12-31") == "too_long_ago"
    assert born_by(date(2020, 3, 1))("1900-01-01") is None


def test_days_of_marks_may_lie_ahead():
    assert day_problem("2031-01-01") is None
    assert day_problem("1899-01-01") == "too_long_ago"
    assert day_problem("2031-02-30") == "not_a_date"


@pytest.mark.parametrize(
    "text",
    ["dana.oneil@example.org", "d+x@mail.example.com", "dana@office.test", "ünï@example.org", "d@bücher.example"],
)
def test_email_taken(text):
    assert email_problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dana", "email_form"),
        ("dana@", "email_form"),
        ("@example.org", "email_form"),
        ("dana@example", "email_form"),
        ("dana@localhost", "email_form"),
        ("dana@@example.org", "email_form"),
        ("dana@example..org", "email_form"),
        (".dana@example.org", "email_form"),
        ("da na@example.org", "email_form"),
        ("Dana <dana@example.org>", "email_form"),
        ('"da na"@example.org', "email_form"),
        ("dana@[192.0.2.1]", "email_form"),
        ("dana@example.org,mia@example.org", "email_form"),
        ("mailto:dana@example.org", "email_form"),
        ("dana@example.org\nBcc: x@example.org", "control_character"),
        ("dana@exam\u200bple.org", "invisible_character"),
        ("dana@example.org ", "surrounding_space"),
        ("d" * 65 + "@example.org", "email_form"),
        ("d@" + "e" * 64 + ".org", "email_form"),
        ("d@" + "e." * 200 + "org", "too_long"),
        ("\u202edana@example.org", "bidi_control"),
    ],
)
def test_email_refused(text, code):
    assert email_problem(text) == code


@pytest.mark.parametrize("text", ["7", "000417", "KC-004211", "a.b/c_d-e", "42.0", "K" * 32])
def test_employee_number_taken(text):
    assert employee_number_problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("+7", "employee_number_form"),
        ("-7", "employee_number_form"),
        ("=7", "employee_number_form"),
        ("7-", "employee_number_form"),
        ("7 8", "employee_number_form"),
        ("7\n", "employee_number_form"),
        ("..", "employee_number_form"),
        ("a/../b", "employee_number_form"),
        ("..\\..\\boot.ini", "employee_number_form"),
        ("a//b", "employee_number_form"),
        ("K%30", "employee_number_form"),
        ("É1", "employee_number_form"),
        ("１２", "employee_number_form"),
        ("7\x00", "employee_number_form"),
        ("K" * 33, "too_long"),
    ],
)
def test_employee_number_refused(text, code):
    assert employee_number_problem(text) == code


def test_plates():
    for text in ("A", "ZZ0 A1B", "ABC-1234", "abc123", "1234567890"):
        assert plate_problem(text) is None
    for text in ("12345678901", "", "-A1", "A1-", "A  1", "A1\n", "ÄB1", "A*1", "Ａ1"):
        assert plate_problem(text) == "plate_form"


@pytest.mark.parametrize("state", ["MO", "pr", "ONT"])
def test_plate_states(state):
    assert problems_of(with_record("vehicle_plate", {"plate": "A1", "state": state})) == []


@pytest.mark.parametrize("state", ["M", "MOOO", "M0", "MO\n", "ＭＯ"])
def test_plate_states_refused(state):
    document = with_record("vehicle_plate", {"plate": "A1", "state": state})
    assert problems_of(document) == [("/records/0/value/state", "state_form")]
