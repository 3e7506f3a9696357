"""Measurements of the hot paths on this machine: ``make bench``. Figures are printed, never asserted."""
