from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.report.text import case_name, first_and_last_lines, one_line, plural, printable, shown_path

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("bell\x07", "bell\\x07"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("windows\r\nline", "windows\nline"),
        ("back\rover", "back\\rover"),
        ("half \ud83d pair", "half \\ud83d pair"),
        ("emoji 🚀 stays", "emoji 🚀 stays"),
    ],
)
def test_nothing_printable_commands_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_printable_text_can_always_be_encoded_and_holds_no_control_characters(text: str) -> None:
    shown = printable(text)

    shown.encode()
    assert not any(ord(character) < 32 and character not in "\t\n" for character in shown)


def test_a_title_is_one_line() -> None:
    assert one_line(" two\nlines \t and space ") == "two lines and space"


def test_a_case_is_called_by_suite_title_and_parameters(make: Make) -> None:
    info = make.case("Scaling", parameters={"n": "4"}).info

    assert case_name(info) == "Load Testing · Scaling [n=4]"


def test_parameters_that_the_title_shows_are_not_repeated(make: Make) -> None:
    info = make.case("Scaling with n=4", parameters={"n": "4"}).info

    assert case_name(info) == "Load Testing · Scaling with n=4"


def test_the_middle_of_long_text_is_counted() -> None:
    text = "\n".join(str(number) for number in range(10))

    assert first_and_last_lines(text, 2, 3) == "0\n1\n… 5 lines not shown …\n7\n8\n9"


def test_one_line_is_not_replaced_by_a_line_that_says_so() -> None:
    assert first_and_last_lines("a\nb\nc", 1, 1) == "a\nb\nc"


def test_counts_agree_with_their_nouns() -> None:
    assert [plural(count, "case") for count in (0, 1, 2000)] == ["0 cases", "1 case", "2,000 cases"]


def test_paths_below_the_current_folder_are_shown_from_there() -> None:
    assert shown_path(Path.cwd() / "suites" / "suite_a.py") == "suites/suite_a.py"
    assert shown_path("/elsewhere/suite_a.py") == "/elsewhere/suite_a.py"
