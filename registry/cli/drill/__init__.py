"""The drill: a made-up leak from copies that this registry really served, and how its tracer does on it."""
