"""Terms of single words: those that a health statement may be found by."""

from __future__ import annotations

from collections.abc import Iterator

from registry.leaktrace.terms import Term, TermKind, health_key, is_vague
from registry.text.common_words import NO_NAME
from registry.text.words import Words

MIN_LETTERS = 4


def health_terms(words: Words) -> Iterator[tuple[Term, int, int]]:
    """Yield (term, word, word) for each word that may belong to a health statement."""
    for index, word in enumerate(words.texts):
        if len(word) >= MIN_LETTERS and not word.isdigit() and word not in NO_NAME and not is_vague(word):
            yield Term(TermKind.HEALTH_WORD, health_key(word)), index, index
