"""Keyrings whose files are worth nothing without a key service that knows single keys. See ../README.md."""
