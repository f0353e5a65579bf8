"""Rows into the formats that other programs read."""
