from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest
from rich.table import Table
from rich.text import Text

from wfrun.runner.report.console import animated, make_console

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def forsaken_pipe() -> Iterator[io.TextIOWrapper]:
    """A pipe whose reader has left."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = open(write_end, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closed below, and not a path
    yield stream
    stream.close()


def test_square_brackets_and_colons_are_printed_as_they_are() -> None:
    console = make_console(io.StringIO(), environment={})

    console.print("[bold]title[/] :rocket:")

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "[bold]title[/] :rocket:\n"


def test_no_color_means_no_colour_on_a_terminal() -> None:
    stream = Terminal()
    console = make_console(stream, environment={"TERM": "xterm-256color", "NO_COLOR": "1"})

    console.print(Text("red", "red"))

    assert stream.getvalue() == "red\n"


def test_a_terminal_gets_colours() -> None:
    stream = Terminal()
    console = make_console(stream, environment={"TERM": "xterm-256color"})

    console.print(Text("red", "red"))

    assert "\x1b[31mred" in stream.getvalue()


def test_a_pipe_is_wide_unless_columns_says_otherwise() -> None:
    assert make_console(io.StringIO(), environment={}).width == 120
    assert make_console(io.StringIO(), environment={"COLUMNS": "72"}).width == 72


def test_a_reader_who_leaves_does_not_end_the_session(forsaken_pipe: io.TextIOWrapper) -> None:
    console = make_console(forsaken_pipe, environment={})

    console.print("one")
    console.print(Table("two"))

    assert console.quiet


def test_what_a_stream_cannot_encode_is_printed_as_an_escape() -> None:
    raw = io.BytesIO()
    console = make_console(io.TextIOWrapper(raw, encoding="ascii"), environment={})

    console.print("rocket 🚀")

    assert raw.getvalue() == b"rocket \\U0001f680\n"


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "CI": "true"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
        (io.StringIO(), {"TERM": "xterm", "FORCE_COLOR": "1"}, False),
    ],
)
def test_only_a_watched_terminal_outside_ci_is_animated(
    stream: io.StringIO, environment: dict[str, str], expected: bool
) -> None:
    assert animated(make_console(stream, environment=environment), environment) is expected
