"""What a screen shows while it is closed, or the console ends: nothing, for its widgets are gone."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from textual.css.query import NoMatches

_P = ParamSpec("_P")
_Shown = TypeVar("_Shown")


def unless_closed(show: Callable[Concatenate[_Shown, _P], None]) -> Callable[Concatenate[_Shown, _P], None]:
    """Let `show` end quietly where a widget of its screen is not there any more: an answer may come that late."""

    @wraps(show)
    def shown(screen: _Shown, /, *arguments: _P.args, **named: _P.kwargs) -> None:
        try:
            show(screen, *arguments, **named)
        except NoMatches:
            return

    return shown
