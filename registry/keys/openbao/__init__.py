"""OpenBao as the key service: its transit engine wraps data keys, and the ring's own files. See ../README.md."""
