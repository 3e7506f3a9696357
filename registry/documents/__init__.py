"""File formats: bytes in, text with a map of offsets to places out; and the same file without some of its text."""
