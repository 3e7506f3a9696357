"""Terms that are numbers or characters: phones, SSNs, cards, dates, last four digits, e-mail addresses, plates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.leaktrace.terms import Term, TermKind
from registry.text.cards import CARD_RUNS, cards_in
from registry.text.dates import dates_in
from registry.text.digits import Run, digit_chains, digit_readings, runs_of
from registry.text.emails import emails_in, looking_like, marked_emails_in
from registry.text.fold import Folded
from registry.text.phones import PHONE_RUNS, phones_in
from registry.text.plates import plates_in
from registry.text.ssn import SSN_RUNS, ssns_in
from registry.text.words import Words

MAX_GUESSED_RUNS = 400  # digit runs with look-alike letters in one passage
_LENGTHS = SSN_RUNS | PHONE_RUNS | CARD_RUNS

_FOUR = r"([0-9oilszbgq]{4})(?![0-9a-z])"
_LAST4 = re.compile(
    rf"(?:\b(?:(?:last|final)\W{{0,3}}(?:4|four)|l-?4)\b[^0-9\n]{{0,50}}?\n?|\b(?:number|ssn|social|phone|cell|mobile)\s+ends\s+|\b(?:end(?:s|ing|ed)?|finish(?:es|ing)?)\s+(?:in|with|on|w)\W{{0,3}}|\bending\W{{1,3}}"
    rf"|\b(?:ssn?|social)[\s_-]?(?:last)?[\s_-]?4\W{{1,3}})"
    rf"(?<![0-9a-z]){_FOUR}"
)
_LOCAL = re.compile(r"(?<![\da-z])(?<!\d[-. )/])(?<!\d\) )([2-9]\d{2})[-. ](\d{4})(?![\da-z])(?![-.]\d)")
_MASKED = re.compile(rf"(?<![0-9a-z*#_?.])((?:(?:[x*#_?]{{1,12}}|\.{{2,3}})[\s().-]{{0,3}}){{1,4}}){_FOUR}")
_CARD_WORDS = re.compile(r"\b(?:card|visa|mastercard|amex|credit|debit|account|acct|bank|checking|savings)\b")
_SSN_WORDS = re.compile(r"\b(?:ssn|social|ss|soc)\b")
_PHONE_WORDS = re.compile(
    r"\b(?:phone|cell|mobile|tel|telephone|call|(?<!security )(?<!ssn )(?<!card )(?<!account )number)\b"
)
_CONTEXT = 60  # characters before
_PLATE_WORDS = re.compile(r"\b(?:plates?|licen[sc]e|tags?|registration|vehicle|car|truck)\b")


_AMOUNT = re.compile(r"\d{1,3}(?:,\d{3})+")  # 8,165,550,123 is a quantity


def number_terms(words: Words) -> Iterator[tuple[Term, int, int]]:
    """Yield (term, first word, last word) for phones, SSNs, cards and dates."""
    guessed = 0
    for chain in digit_chains(words):
        if sum(len(unit.readings[0]) for unit in chain) < 9:
            continue
        for run in runs_of(chain, _LENGTHS):
            if _AMOUNT.fullmatch(words.folded.text, run.start, run.end):
                continue
            if len(run.readings[0]) in SSN_RUNS and _is_piece(words.folded.text, run):
                continue
            guessed += len(run.readings) > 1
            if guessed > MAX_GUESSED_RUNS and len(run.readings) > 1:
                continue
            last = run.word
            while last + 1 < len(words.texts) and words.starts[last + 1] < run.end:
                last += 1
            for term in _run_terms(run, words.folded.text):
                yield term, run.word, last
    for iso, first, last in dates_in(words):
        yield Term(TermKind.BIRTH_DATE, iso), first, last


_HYPHENS = re.compile(r"\d+(?:-\d+)+")
_PIECE_BEFORE = re.compile(r"(?<![\d-])(?:\d{1,4}-){1,2}$")
_PIECE_AFTER = re.compile(r"-\d{1,3}(?![\d-])")


def _is_piece(text: str, run: Run) -> bool:
    """Tell whether nine digits with hyphens go on behind one, or come from before one: a policy's number, an ISBN."""
    if not _HYPHENS.fullmatch(text, run.start, run.end):
        return False
    before = _PIECE_BEFORE.search(text, max(0, run.start - 12), run.start)
    return before is not None or _PIECE_AFTER.match(text, run.end) is not None


_DIGITS_BEFORE = re.compile(r"\d\)?[\s./-]{0,2}\(?$")
_DIGITS_AFTER = re.compile(r"\)?[\s./-]{0,2}\d")


def _is_alone(text: str, run: Run) -> bool:
    before = _DIGITS_BEFORE.search(text, max(0, run.start - 5), run.start)
    return before is None and _DIGITS_AFTER.match(text, run.end) is None


def _run_terms(run: Run, text: str) -> Iterator[Term]:
    length = len(run.readings[0])
    if length in SSN_RUNS:
        yield from (Term(TermKind.SSN, digits) for digits in ssns_in(run))
    if length in PHONE_RUNS:
        yield from (Term(TermKind.PHONE, digits) for digits in phones_in(run, is_alone=_is_alone(text, run)))
    if length in CARD_RUNS:
        yield from (Term(TermKind.CARD, digits) for digits in cards_in(run))


_FOUR_DIGITS = re.compile(r"^\d{4}$")
LAST4_LABEL = re.compile(r"last[ _-]?(?:4|four)|(?:ssn?|social|phone|cell|tel)[ _-]?4$|^4[ _-]?ssn")


def column_terms(words: Words, labels: tuple[str, ...]) -> Iterator[tuple[Term, int, int]]:
    """Yield (term, word, word) for last four digits alone in a column that is labelled as such."""
    yield from _area_columns(words, labels)
    for index, word in enumerate(words.texts):
        label = labels[words.cells[index]] if words.cells[index] < len(labels) else ""
        if _FOUR_DIGITS.match(word) and LAST4_LABEL.search(label):
            for kind in _kinds_by_context(label.replace("_", " ")):
                yield Term(kind, word), index, index


_AREA_LABEL = re.compile(r"\barea|^npa\b")


def _area_columns(words: Words, labels: tuple[str, ...]) -> Iterator[tuple[Term, int, int]]:
    """Yield a telephone number whose area code has a column of its own, the number in the next one."""
    for cell, label in enumerate(labels[:-1]):
        if not _AREA_LABEL.search(label) or cell not in words.cells:
            continue
        first = words.cells.index(cell)
        last = first + words.cells.count(cell) + words.cells.count(cell + 1) - 1
        digits = "".join(words.texts[first : last + 1])
        if len(words.texts[first]) == _AREA and len(digits) == _TEN and digits.isdigit():
            yield Term(TermKind.PHONE, digits), first, last


_AREA, _TEN = 3, 10  # digits


def text_terms(folded: Folded) -> Iterator[tuple[Term, int, int]]:
    """Yield (term, start, end) in folded offsets for what is found in running characters."""
    text = folded.text
    for written, start, end in (*emails_in(text), *marked_emails_in(text)):
        for address in looking_like(written):
            yield Term(TermKind.EMAIL, address), start, end
    yield from _last4_terms(text)
    for plate, start, end in plates_in(_small_l_as_one(folded)):
        shown = folded.is_upper(start) or folded.is_upper(end - 1)
        if shown or _PLATE_WORDS.search(text, max(0, start - _CONTEXT), end + _CONTEXT):
            yield Term(TermKind.PLATE, plate), start, end


_INNER_L = re.compile(r"(?<=[a-z0-9])l(?=[a-z0-9])|(?<=[a-z0-9]{2})l(?![a-z0-9])")


def _small_l_as_one(folded: Folded) -> str:
    """Read a small l among capitals as the 1 that it was (``TTUl90``)."""
    text = folded.text
    if folded.raw.islower() or folded.raw.isupper():
        return text
    return _INNER_L.sub(lambda match: "1" if _among_capitals(folded, match.start()) else "l", text)


def _among_capitals(folded: Folded, index: int) -> bool:
    text = folded.text
    if folded.is_upper(index):
        return False
    last = index + 1 == len(text) or not text[index + 1].isalnum()
    beside = (index - 1, index - 2 if last else index + 1)
    return all(text[at].isdigit() or (text[at].isalpha() and folded.is_upper(at)) for at in beside)


def _last4_terms(text: str) -> Iterator[tuple[Term, int, int]]:
    for match in _LAST4.finditer(text):
        context = text[max(0, match.start() - _CONTEXT) : match.start(1)]
        yield from _four(match, 1, _kinds_by_context(context))
    for match in _LOCAL.finditer(text):  # a number without its area code
        yield Term(TermKind.PHONE_LAST4, match.group(2)), match.start(), match.end()
    for match in _MASKED.finditer(text):
        mask = "".join(char for char in match.group(1) if char in "x*#_?")
        context = text[max(0, match.start() - _CONTEXT) : match.start()]
        kinds = {5: (TermKind.SSN_LAST4,), 6: (TermKind.PHONE_LAST4,)}.get(len(mask), _kinds_by_context(context))
        yield from _four(match, 2, kinds)


def _kinds_by_context(context: str) -> tuple[TermKind, ...]:
    """Return what last four digits may be the end of, by the nearest word before them that tells."""
    found = [
        (matches[-1].start(), kinds)
        for pattern, kinds in (
            (_SSN_WORDS, (TermKind.SSN_LAST4,)),
            (_PHONE_WORDS, (TermKind.PHONE_LAST4,)),
            (_CARD_WORDS, ()),
        )
        if (matches := list(pattern.finditer(context)))
    ]
    both: tuple[TermKind, ...] = (TermKind.SSN_LAST4, TermKind.PHONE_LAST4)
    return max(found, key=lambda item: item[0])[1] if found else both


def _four(match: re.Match[str], group: int, kinds: tuple[TermKind, ...]) -> Iterator[tuple[Term, int, int]]:
    if sum(char.isdigit() for char in match.group(group)) < 2:
        return
    for digits in digit_readings(match.group(group)):
        for kind in kinds:
            yield Term(kind, digits), match.start(group), match.end(group)
