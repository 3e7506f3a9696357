"""Looking for protected values where none may be."""
