"""Where files live, and what a person has chosen."""
