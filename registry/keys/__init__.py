"""Where keys are kept and how a person's data key is made, opened and forgotten. See README.md here."""
