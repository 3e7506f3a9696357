"""A second made-up population, written about as people, scanners and platforms write."""
