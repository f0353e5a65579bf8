"""What all consoles of the tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from textual.css import parse, stylesheet
from textual.css.model import RuleSet

_read: dict[Any, tuple[RuleSet, ...]] = {}
"""The rules of every piece of style that was read, by all that they are made of."""


def _read_once(scope: str, css: str, read_from: Any, variable_tokens: Any, **options: Any) -> tuple[RuleSet, ...]:
    variables = frozenset((name, *tokens) for name, tokens in variable_tokens.items() if f"${name}" in css)
    key = (scope, css, read_from, variables, *options.values())
    if key not in _read:
        _read[key] = tuple(parse.parse(scope, css, read_from, variable_tokens=variable_tokens, **options))
    return _read[key]


@pytest.fixture(autouse=True, scope="session")
def _styles_read_once() -> Iterator[None]:
    """Every console reads the same styles, and anew whenever it shows another screen: they are parsed once for all."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(stylesheet, "parse", _read_once)
        yield
