"""A keyring that opens only when several people bring their shares together."""
