"""Text for people: foreign text made safe to show, counts in words."""

import unicodedata

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal obeys, reorders or hides instead of drawing."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_DELETE = "\x7f"


def _visible(character: str) -> str:
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return _REPLACEMENT
    return character


def clean(text: str) -> str:
    """Return `text` with every control, format and unassigned character made visible.

    C0 controls and DEL become their Unicode pictures (ESC becomes ␛, a line feed ␊); all others,
    bidirectional overrides and zero-width characters included, become U+FFFD. Idempotent; text
    without such characters comes back unchanged.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def shortened(text: str, most: int) -> str:
    """Return `text`, with an ellipsis for its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}…{text[-end:]}"


def counted(count: int, noun: str) -> str:
    """Return `count` with thousands separated and `noun` in its number: `1 row`, `1,280 rows`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun if count == 1 else plural}"
