"""Anchors: where a subject's full name stands."""

from __future__ import annotations

from registry.leaktrace.dossier import Dossier
from registry.leaktrace.reading import Place
from registry.leaktrace.sightings import ReadText
from registry.leaktrace.terms import TermKind, directory_terms, full_name_term
from registry.text.names import name_key, name_words
from registry.text.nearness import key_distance

_LONG_NAME = 12  # letters from which two may be wrong


def named_scopes(text: ReadText, dossier: Dossier) -> dict[int, bool]:
    """Return the scopes that hold the subject's full name, each with whether it is written exactly.

    A name may carry the noise of text recognition: one letter wrong, two in a long one.
    """
    given, family = name_words(dossier.given_name), name_words(dossier.family_name)
    if not given or not family:
        return {}
    found = {text.words(place).scope: False for place in text.places(full_name_term(family, given))}
    found |= {text.words(place).scope: True for place in text.places(full_name_term(given, family))}
    own = (name_key(given, family), name_key(family, given))
    for term in directory_terms(dossier.given_name, dossier.family_name):
        if term.kind in {TermKind.NAME_GIVEN, TermKind.NAME_FAMILY}:
            for place in text.places(term):
                scope = text.words(place).scope
                if scope not in found and _is_near(text, own, place):
                    found[scope] = False
    return found


def name_places(text: ReadText, dossier: Dossier) -> list[Place]:
    """Return where a subject's full name stands, with the noise that ``named_scopes`` takes."""
    given, family = name_words(dossier.given_name), name_words(dossier.family_name)
    if not given or not family:
        return []
    own = (name_key(given, family), name_key(family, given))
    found = [*text.places(full_name_term(given, family)), *text.places(full_name_term(family, given))]
    for term in directory_terms(dossier.given_name, dossier.family_name):
        if term.kind in {TermKind.NAME_GIVEN, TermKind.NAME_FAMILY}:
            found += [place for place in text.places(term) if _is_near(text, own, place)]
    return found


def _is_near(text: ReadText, own: tuple[str, str], place: Place) -> bool:
    most = 1 if len(own[0]) < _LONG_NAME else 2
    return any(key_distance(key, form, most) is not None for key in own for form in text.forms(place))
