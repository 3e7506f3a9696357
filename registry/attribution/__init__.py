"""How far a text speaks for one served copy, and how far it does not. See README.md."""
