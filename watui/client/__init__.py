"""Asks a server that speaks the contract."""
