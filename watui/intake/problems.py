"""Why an input is never sent, in the words that people read."""

import re

NO_DIGITS = "no digits"
SCIENTIFIC = "digits lost to scientific notation"
SHEET_ERROR = "a spreadsheet's error where a number should be"
OTHERWISE = "a date, an invoice or an account? give it by itself if it is a number"
DECIMALS = "ends in .0, as a spreadsheet's number does: take that off, a server reads it as digits"
UNDECODABLE = "damaged characters: the file is not in one encoding"
CONTROL_CHARACTERS = "control characters inside"
TOO_LONG = "far too long for a number"
TWO_NUMBERS = "two numbers in one cell: give each a row"

SCIENTIFIC_NOTATION = re.compile(r"[+-]?\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
"""What a spreadsheet makes of a long number: `4.47900E+11`. The digits it left out can't be had back."""

ERROR_OF_A_SHEET = re.compile(r"#(?:N/A|NV|[A-ZÄÖÜÉ]{3,8}[!?]|DIV/0!)")
"""What stands in a cell that could not be worked out."""

WITH_DECIMALS = re.compile(r"[+＋]?(?:\d{7,}[.,]0+|\d{1,3}(?:,\d{3}){2,}\.0+|\d{1,3}(?:[. '\u00a0\u202f]\d{3}){2,},0+)")
"""What a number that was taken for an amount becomes. Separators of a phone number are of one kind, or no decimals."""


class BadSource(Exception):
    """A source that can't be read at all; the message is one sentence that says what to do."""
