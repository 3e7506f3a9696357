"""The demonstration: a made-up city, a working week, one leak, one trace. See ../README.md."""
