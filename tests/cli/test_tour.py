"""`watui tour`: the API in ten steps, without a console."""

from tests.cli.conftest import Watui, assert_one_sentence
from watui.cli.exits import Exit
from watui.tour import STEPS


def test_a_step_is_shown_by_its_number(watui: Watui) -> None:
    ended = watui("tour", "--step", "1")
    assert (ended.code, ended.err) == (Exit.DONE, "")
    assert ended.out.startswith(f"1 of {len(STEPS)}  {STEPS[0].title}\n{STEPS[0].rule}\n\n→ POST /v1/contacts ")
    assert '"wa_id":"916315551002"' in ended.out


def test_there_is_no_step_behind_the_last(watui: Watui) -> None:
    assert_one_sentence(watui("tour", "--step", str(len(STEPS) + 1)), Exit.USAGE)
