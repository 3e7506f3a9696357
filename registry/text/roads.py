"""Streets whose names have several usual writings: numbered roads, ordinals without ending, people's initials."""

from __future__ import annotations

from registry.text.postal import TYPES

_ROADS = frozenset({"highway", "hwy", "route", "rte", "rt", "road", "rd"})
_OWNERS = frozenset({"state", "county", "us", "st", "farm", "fm", "rm"})
_MARKET = {("farm", "to", "market"): "fm", ("ranch", "to", "market"): "rm"}  # roads of Texas
_NUMBERED = {
    "fm": "fm",
    "rm": "rm",
    "sr": "state",
    "sh": "state",
    "cr": "county",
    "us": "us",
    "hwy": "",
    "highway": "",
    "rte": "",
    "route": "",
}
_PEOPLE = {("martin", "luther", "king"): "mlk", ("john", "f", "kennedy"): "jfk"}
_TITLES = frozenset({"dr", "jr", "rev", "reverend"})


def same_roads(words: list[str]) -> list[str]:
    """Bring numbered roads to one writing (State Route 44, SR 44), and ordinals without ending (155 St, 155th St)."""
    found: list[str] = []
    index = 0
    for name, short in _MARKET.items():
        if tuple(words[:3]) == name:
            words = [short, *words[3:]]
    while index < len(words):
        taken, size = _road_at(words, index)
        found.append(taken)
        index += size
    return _same_people(found)


def _road_at(words: list[str], index: int) -> tuple[str, int]:
    """Return one word of a street in its common writing, and how many written words it stands for."""
    word, following = words[index], words[index + 1 : index + 2]
    number = following if following and following[0].isdigit() else words[index + 2 : index + 3]
    if word in _OWNERS and following and following[0] in _ROADS and number and number[0].isdigit():
        return f"{'state' if word == 'st' else word}hwy", 2
    if word in _NUMBERED and following and following[0].isdigit():
        return f"{_NUMBERED[word]}hwy", 1
    if word.isdigit() and len(word) <= 3 and following and following[0] in TYPES and following[0] not in {"mile", "ml"}:
        return f"{int(word)}th", 1
    return word, 1


def _same_people(words: list[str]) -> list[str]:
    """Martin Luther King Jr and MLK are one name; titles beside it do not matter."""
    for name, short in _PEOPLE.items():
        for index in range(len(words)):
            size = 1 if words[index] == short else len(name) if tuple(words[index : index + len(name)]) == name else 0
            if size:
                before, after = words[:index], words[index + size :]
                before = before[:-1] if before[-1:] and before[-1] in _TITLES else before
                after = after[1:] if len(after) > 1 and after[0] in _TITLES else after
                return [*before, short, *after]
    return words
