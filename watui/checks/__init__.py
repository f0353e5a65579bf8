"""A run: from entries to verdicts."""
