"""Bytes in, bytes out: the only room that knows a cipher. See README.md here and docs/encryption.md."""
