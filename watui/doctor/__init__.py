"""Looks at everything that watui stands on, and says what to do where something does not hold. Nothing is changed."""
