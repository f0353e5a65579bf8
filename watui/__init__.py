"""A terminal console for the WhatsApp Business `/v1/contacts` API."""

__version__ = "0.1.0"
