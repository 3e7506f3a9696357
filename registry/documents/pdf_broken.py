"""What reading a damaged PDF raises."""

from __future__ import annotations

import zlib

from pypdf.errors import PyPdfError

# pypdf checks little of what a file says before it uses it. NotImplementedError is its word for a filter that it lacks.
BROKEN: tuple[type[Exception], ...] = (
    PyPdfError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    OverflowError,
    zlib.error,
    NotImplementedError,
)
