"""Text that a terminal would obey, reorder or hide, that Textual could take for markup, or that is far too long."""

CANARY = "canary"
"""Stands in every control sequence, so that one that got through is found."""

PAYLOADS = {
    "markup end": "[/]",
    "markup end of nothing": "[/x]",
    "markup action": "[@click=app.quit]canary[/]",
    "markup link": "[link=file:///canary]canary[/link]",
    "CSI": "\x1b[7357;31mcanary\x1b[2J",
    "OSC 0": "\x1b]0;canary\x07",
    "OSC 8": "\x1b]8;;file:///canary\x1b\\canary\x1b]8;;\x1b\\",
    "OSC 52": "\x1b]52;c;canary\x07",
    "DCS": "\x1bPcanary\x1b\\",
    "C1 CSI": "\x9b7357mcanary",
    "C1 OSC": "\x9d0;canary\x9c",
    "C1 DCS": "\x90canary\x9c",
    "NUL and DEL": "\x00\x7f\x08canary",
    "bidi": "\u202ecanary\u2066\u2069",
    "zero width": "\u200bcan\u200dary\ufeff\u00ad",
    "line ends": "\u2028\u2029\x85canary",
}
"""By what they are; none holds a line feed, which a list would split."""

HOSTILE = "".join(PAYLOADS.values())

ONE_LINE = "".join(text for kind, text in PAYLOADS.items() if kind != "line ends")

LONG = HOSTILE * (1_000_000 // len(HOSTILE) + 1)
"""More than a megabyte of it."""
