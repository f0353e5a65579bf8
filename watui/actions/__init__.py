"""Changes of contacts: intent written down, sent, outcome written down."""
