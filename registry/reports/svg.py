"""What all drawings share: one element with title and description, presentation attributes only."""

from __future__ import annotations

from xml.sax.saxutils import escape

WIDTH = 720
AXIS, FAINT = "currentColor", "#98a1aa"


def opened(name: str, title: str, told: str, height: int) -> list[str]:
    """Begin a drawing: its element, its title, and what it shows in words.

    Args:
        name: of its ids, its own on the page.
        title: what it is; escaped here.
        told: what it shows; escaped here.
        height: in its own units; it is ``WIDTH`` wide.
    """
    return [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="{name}-title {name}-desc" '
            'font-family="Libertinus Serif, serif" font-size="13" fill="currentColor">'
        ),
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(told)}</desc>',
    ]
