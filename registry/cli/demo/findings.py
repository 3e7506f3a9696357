"""Telling what a trace report says: what was found, the copies that held it, what stays open. No value, no name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.cli.demo.story import Story
from registry.leaktrace.wording import kind_words, many

Document = Mapping[str, Any]


def tell_report(story: Story, report: Document) -> None:
    """Tell a report as the API gave it."""
    story.say(report["first_line"])
    for gap in report["gaps"]:
        story.say(f"!! {gap}")
    _tell_found(story, report)
    _tell_copies(story, report)
    _tell_open(story, report)


def entries_of_copies(report: Document) -> set[int]:
    """Return the entries of all candidate copies."""
    return {copy["entry"] for account in report["accounts"] for copy in account["copies"]}


def found_kinds(report: Document, number: str) -> set[str]:
    """Return the kinds of the values found of one person."""
    people = report["people"]
    return {item["kind"] for one in people if one["employee_number"] == number for item in one["findings"]}


def _tell_found(story: Story, report: Document) -> None:
    story.say("Found in the post (the values are not repeated):")
    for person in report["people"]:
        for item in person["findings"]:
            story.say(
                f"{item['label']}  {kind_words(item['kind'])} of {person['employee_number']}: {item['reason']}", 5
            )


def _tell_copies(story: Story, report: Document) -> None:
    accounts = report["accounts"]
    story.say(f"Copies that were served before it appeared, to {many(len(accounts), 'account')}, by first serving:")
    for account in accounts:
        missing = f", not {', '.join(account['not_held'])}" if account["not_held"] else ""
        story.say(f"{account['label']}: held {', '.join(account['held'])}{missing}", 5)
        for copy in account["copies"]:
            story.say(_copy(copy), 7)
    after = sum(len(account["copies"]) for account in report["after_publication"])
    if after:
        story.say(f"{after} more copies were served after it appeared and cannot be the source.")
    if report["unexplained"]:
        story.say(f"In none of these copies: {', '.join(report['unexplained'])}.")


def _copy(copy: Document) -> str:
    served = copy["served_at"][:16].replace("T", " ")
    hours = round((copy["seconds_before_publication"] or 0) / 3600, 1)
    held = ", ".join(copy["held"])
    case = "with a case reference" if copy["case_given"] else "without a case reference"
    return (
        f"entry {copy['entry']}, {served} UTC, {hours} h before the post: {held} of {copy['employee_number']} for "
        f"{copy['purpose']}, {case}, {copy['via']}"
    )


def _tell_open(story: Story, report: Document) -> None:
    tier = report["tier"]
    story.say(f"Tier: {tier['label']}. {tier['wording']}")
    story.say("What it cannot exclude:")
    story.say(f"- {report['not_from_here']}", 5)
    kinds = sorted({line["kind"] for line in report["exposures"] if not line["after_publication"]})
    if kinds:
        story.say(f"- Held the values without being served a copy: {', '.join(kinds)}.", 5)
    for part in report["not_distinguished"]:
        if len(part["accounts"]) > 1:
            story.say(f"- Not told apart by content: {', '.join(part['accounts'])}.", 5)
    for line in report["unknown"]:
        story.say(f"- Not known: {line}", 5)
