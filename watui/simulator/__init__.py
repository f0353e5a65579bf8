"""Answers like a server that speaks the contract."""
