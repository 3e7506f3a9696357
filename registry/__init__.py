"""Registry: a protected-records registry with access auditing."""

__version__ = "0.1.0"
