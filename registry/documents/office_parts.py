"""Which members of an office document are what, and how one is taken out without a trace."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from registry.documents.images import ENDS
from registry.documents.model import Place, replaced
from registry.documents.package import Package
from registry.documents.xml_part import XmlPart
from registry.domain.errors import UnreadableDocument

CONTENT_TYPES = "[Content_Types].xml"
_XML = (".xml", ".rels", ".vml", ".svg")
_HARMLESS = re.compile(r".*/(?:printerSettings/.*\.bin|fonts/.*\.(?:odttf|ttf|fntdata))", re.IGNORECASE)
_MACROS = re.compile(r"vba\w*\.bin$|vbaProjectSignature\w*\.bin$", re.IGNORECASE)
_NESTED = (".docx", ".docm", ".xlsx", ".xlsm", ".pdf", ".html", ".htm", ".txt", ".eml")
# What goes with every redacted copy: a picture of the first page, signatures that no longer hold.
_STALE = re.compile(r"docProps/thumbnail\.|_xmlsignatures/", re.IGNORECASE)
# Elements that show an object which is no longer there.
_SHOWING = ("object", "altChunk", "oleObjects", "controls", "control")
_KINDS: tuple[tuple[str, str], ...] = (
    (r"word/document\d*\.xml", "body"),
    (r"word/header(\d+)\.xml", "header"),
    (r"word/footer(\d+)\.xml", "footer"),
    (r"word/footnotes\d*\.xml", "footnotes"),
    (r"word/endnotes\d*\.xml", "endnotes"),
    (r"(?:word|xl|ppt)/(?:threadedComments/)?(?:\w*[cC]omment\w*?)(\d*)\.xml", "comments"),
    (r"ppt/slides/slide(\d+)\.xml", "slide"),
    (r"ppt/notesSlides/notesSlide(\d+)\.xml", "notes"),
    (r"ppt/slide(?:Layouts|Masters)/slide(?:Layout|Master)(\d+)\.xml", "layout of slides"),
    (r"(?:word|xl|ppt)/(?:styles|stylesWithEffects|settings|webSettings|fontTable|numbering)\.xml", "styles"),
    (r"(?:word|xl|ppt)/theme/theme\d*\.xml", "styles"),
    (r"xl/worksheets/sheet(\d+)\.xml", "sheet"),
    (r"xl/sharedStrings\.xml", "cells"),
    (r"xl/workbook\.xml", "workbook"),
    (r"xl/pivotCache/pivotCache(?:Definition|Records)(\d+)\.xml", "pivot cache"),
    (r"(?:word|xl|ppt)/(?:charts|drawings|diagrams)/\w*?(\d*)\.xml", "drawing"),
    (r"docProps/\w+\.xml", "properties"),
    (r"customXml/.*", "custom data"),
    (r".*\.rels", "links"),
)
_ORDER = {kind: number for number, (_, kind) in enumerate(_KINDS)}
_LAST = len(_KINDS)


def place_of(name: str) -> Place:
    """Say what a member is, in our words: its name may be the author's."""
    for pattern, kind in _KINDS:
        match = re.fullmatch(pattern, name)
        if match is not None:
            number = match.group(1) if match.lastindex else ""
            return (("part", f"{kind} {number}".strip()),)
    return (("part", "other"),)


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Return members in the order in which a reader meets them."""

    def key(name: str) -> tuple[int, int, str]:
        words = str(place_of(name)[0][1])
        kind = words.rstrip(" 0123456789")
        number = words[len(kind) :].strip()
        return _ORDER.get(kind, _LAST), int(number or 0), name

    return sorted(names, key=key)


def sort_of(name: str) -> str:
    """Return ``xml``, ``nested``, ``image``, ``macros``, ``harmless``, or ``embedded_object`` for all else."""
    lower = name.lower()
    if lower.endswith(_XML):
        return "xml"
    if _HARMLESS.fullmatch(name):
        return "harmless"
    if _MACROS.search(name):
        return "macros"
    if lower.endswith(tuple(ENDS)) or _STALE.match(name):
        return "image"
    return "nested" if lower.endswith(_NESTED) else "embedded_object"


def stale(names: Iterable[str]) -> set[str]:
    """Return the members that no redacted copy has."""
    return {name for name in names if _STALE.match(name)}


def without(package: Package, gone: set[str], changed: dict[str, bytes | None]) -> None:
    """Take members out: the relationships and content types that name them, the elements that show them.

    Args:
        package: the archive.
        gone: names of the members.
        changed: what is to be written so far; added to.
    """
    for name in gone:
        changed[name] = None
    sources: dict[str, set[str]] = {}
    for name in package.names:
        if name.endswith(".rels"):
            xml = _part(package, changed, name)
            found = list(_relationships(xml, name, gone))
            if found:
                changed[name] = xml.encode(replaced(xml.raw, [(start, end, "") for start, end, _ in found]))
                sources.setdefault(_source(name), set()).update(identifier for _, _, identifier in found)
    for source, identifiers in sources.items():
        if source in package.names and source not in gone:
            xml = _part(package, changed, source)
            changed[source] = xml.encode(replaced(xml.raw, [(*span, "") for span in _showing(xml, identifiers)]))
    types = _part(package, changed, CONTENT_TYPES)
    named = {f"/{name}".lower() for name in gone}
    edits = [
        (start, end, "")
        for start, end in _elements(types, {"Override"})
        if (types.attribute(start, "PartName") or "").lower() in named
    ]
    changed[CONTENT_TYPES] = types.encode(replaced(types.raw, edits))


def target_of(rels: str, target: str) -> str:
    """Return the member that a relationship's target names."""
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(_source(rels)), target))


def _part(package: Package, changed: Mapping[str, bytes | None], name: str) -> XmlPart:
    """Return a member as it is to be written so far."""
    content = changed.get(name)
    return package.xml(name) if content is None else XmlPart(content, package.budget)


def _source(rels: str) -> str:
    folder, _, name = rels.rpartition("_rels/")
    return f"{folder}{name.removesuffix('.rels')}"


def _relationships(xml: XmlPart, name: str, gone: set[str]) -> Iterator[tuple[int, int, str]]:
    for start, end in _elements(xml, {"Relationship"}):
        is_inside = (xml.attribute(start, "TargetMode") or "Internal") != "External"
        if is_inside and target_of(name, xml.attribute(start, "Target") or "") in gone:
            yield start, end, xml.attribute(start, "Id") or ""


def _showing(xml: XmlPart, identifiers: set[str]) -> Iterator[tuple[int, int]]:
    """Yield elements that name one of these relationships somewhere inside.

    Raises:
        UnreadableDocument: ``embedded_object``: something else names one, so that the copy would not open.
    """
    left = set(identifiers)
    for start, end in _elements(xml, set(_SHOWING)):
        inside = {
            html.unescape(value)
            for value in re.findall(r"\br:(?:id|embed|link)\s*=\s*[\"']([^\"']*)", xml.raw[start:end])
        }
        if inside & identifiers:
            left -= inside
            yield start, end
    kept = re.findall(r"\br:(?:id|embed|link)\s*=\s*[\"']([^\"']*)", xml.raw)
    shown = {one for one in left if one in kept}
    if shown:
        raise UnreadableDocument("embedded_object")


def _elements(xml: XmlPart, names: set[str]) -> list[tuple[int, int]]:
    """Return the ranges of the outermost elements with one of these names."""
    finder = _Finder(names)
    xml.visit(finder)
    return finder.found


class _Finder:
    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._depth, self._begun, self._opened = 0, 0, 0
        self.found: list[tuple[int, int]] = []

    def start(self, name: str, at: int) -> None:
        self._depth += 1
        if not self._opened and name in self._names:
            self._opened, self._begun = self._depth, at

    def end(self, name: str, at: int) -> None:  # noqa: ARG002 - the visitor's form
        if self._opened == self._depth:
            self.found.append((self._begun, at))
            self._opened = 0
        self._depth -= 1

    def data(self, text: str, start: int, end: int) -> None:
        pass

    def note(self, start: int, end: int) -> None:
        pass
