"""AWS KMS as the key service. See ../README.md."""
