"""Sample numbers for a first look, mostly from ranges set aside for fiction. Only a simulator is ever asked."""

from collections.abc import Iterator


def _ranges() -> Iterator[str]:
    for last in range(100, 150):
        yield f"+1 212 555 0{last}"
    for last in range(100, 125):
        yield f"(415) 555-0{last}"
    for last in range(900, 930):
        yield f"+44 20 7946 0{last}"
    for last in range(156, 171):
        yield f"+61 491 570 {last}"
    for last in range(10, 14):
        yield f"+33 6 39 98 00 {last}"
    for last in range(10, 25):
        yield f"+49 30 23125 0{last}"
    for last in range(10, 25):
        yield f"+52 55 5555 00{last}"
    for last in range(10, 25):
        yield f"+55 31 9 5555 00{last}"
    for last in range(10, 25):
        yield f"+91 99999 000{last}"


_ODD_ONES = (
    "",
    "# the same number in other spellings: one question, every row gets the answer",
    "+12125550100",
    "1 (212) 555-0100",
    "tel:+1-212-555-0101",
    "# numbers that no server can check, and rows that are never sent",
    "+1 212 555",
    "555-0123",
    "+999 123 456 789",
    "ask at the desk",
    "4.47900E+11",
)


def sample_text() -> str:
    """Return about 195 lines as a person might paste them: a header, numbers, and some that are not."""
    return "\n".join(("phone", *_ranges(), *_ODD_ONES)) + "\n"
