"""From a person's file or clipboard to entries: one streaming pass, nothing silently dropped."""
