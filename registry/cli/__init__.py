"""The command line: operator commands and their exit codes. See README.md here."""
