"""Served copies in forms of their own: slots, draws, writing and blind reading. See README.md."""
