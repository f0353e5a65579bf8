"""What all consoles of the tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
import textual.screen
from textual.css import parse, stylesheet
from textual.css.model import RuleSet

PAINTED_EVERY = 0.05
"""Seconds; a third as often as in a terminal, for nobody looks."""

_read: dict[Any, tuple[RuleSet, ...]] = {}
"""The rules of every piece of style that was read, by all that they are made of."""


def _read_once(scope: str, css: str, read_from: Any, variable_tokens: Any, **options: Any) -> tuple[RuleSet, ...]:
    variables = frozenset((name, *tokens) for name, tokens in variable_tokens.items() if f"${name}" in css)
    key = (scope, css, read_from, variables, *options.values())
    if key not in _read:
        _read[key] = tuple(parse.parse(scope, css, read_from, variable_tokens=variable_tokens, **options))
    return _read[key]


@pytest.fixture(autouse=True, scope="session")
def _spared() -> Iterator[None]:
    """Let consoles do once, or seldom, what takes most of their time: reading styles and painting."""
    with pytest.MonkeyPatch.context() as patches:
        # All have the same styles, and read them anew whenever they show another screen.
        patches.setattr(stylesheet, "parse", _read_once)
        patches.setattr(textual.screen, "UPDATE_PERIOD", PAINTED_EVERY)
        yield
