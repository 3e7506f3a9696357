"""``phone``: ``{"kind", "number"}``."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_of

KEYS = frozenset({"kind", "number"})

DEFAULT_REGION = "US"
PHONE_KINDS = frozenset({"home", "mobile", "work", "other"})
_MAX_WRITTEN = 40
_NANP: Final = 1  # country code of the North American numbering plan

_KIND = one_of(PHONE_KINDS)

# libphonenumber reads letters as keypad digits, digits of all scripts, and text around the number; a record holds
# a number only. Dashes as word processors write them are let through.
_FORM = re.compile(
    "\\+?[0-9(][0-9 ()./\u00a0\u2010-\u2014-]*(?:(?:[ ,;]*(?:x|ext\\.?|extension)|[ ]*#)[ .:]*[0-9]{1,7})?",
    re.IGNORECASE,
)
# Area and exchange begin with 2-9; neither is a service code (N11); area codes N9X are kept for expansion.
# Assignment of area codes is not looked up: new ones come every year, and 555 lines have no subscriber anyway.
_NANP_AREA = re.compile(r"[2-9](?!9)(?!11)[0-9]{2}")
_NANP_EXCHANGE = re.compile(r"[2-9](?!11)[0-9]{2}")


def check_phone(value: ObjectReader) -> None:
    value.required("kind", _KIND)
    value.required("number", phone_problem)


def phone_problem(text: str) -> str | None:
    """Check a phone number, national US writing or international with a plus sign.

    Returns:
        ``phone_form``, ``phone_too_short`` (a missing area code too), ``phone_too_long``, ``phone_length``,
        ``phone_country``, ``phone_area``, ``phone_exchange``, or None.
    """
    if len(text) > _MAX_WRITTEN or _FORM.fullmatch(text) is None or not _brackets_match(text):
        return "phone_form"
    try:
        number = phonenumbers.parse(text, DEFAULT_REGION)
    except NumberParseException as refusal:
        return _PARSE_CODES.get(refusal.error_type, "phone_form")
    code = _LENGTH_CODES.get(phonenumbers.is_possible_number_with_reason(number))
    if code is None and number.country_code == _NANP:
        return _nanp_problem(str(number.national_number))
    return code


def _brackets_match(text: str) -> bool:
    opened, closed = text.count("("), text.count(")")
    return opened == closed <= 1 and text.find("(") <= text.find(")")


def _nanp_problem(national: str) -> str | None:
    if _NANP_AREA.match(national) is None:
        return "phone_area"
    return None if _NANP_EXCHANGE.match(national, 3) else "phone_exchange"


_PARSE_CODES = {
    NumberParseException.INVALID_COUNTRY_CODE: "phone_country",
    NumberParseException.TOO_SHORT_AFTER_IDD: "phone_too_short",
    NumberParseException.TOO_SHORT_NSN: "phone_too_short",
    NumberParseException.TOO_LONG: "phone_too_long",
}
_LENGTH_CODES = {
    ValidationResult.TOO_SHORT: "phone_too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "phone_too_short",
    ValidationResult.TOO_LONG: "phone_too_long",
    ValidationResult.INVALID_LENGTH: "phone_length",
    ValidationResult.INVALID_COUNTRY_CODE: "phone_country",
}
