"""What a command line is understood as, and what is said of a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.cli.app import app, run_command_line
from wfrun.errors import FileError, UsageError, WfrunError
from wfrun.runner import session

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.runner.options import SessionOptions


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[SessionOptions]:
    """The sessions that were asked for; none is run."""
    asked: list[SessionOptions] = []

    def remember(options: SessionOptions) -> int:
        asked.append(options)
        return 3

    monkeypatch.setattr(session, "run_session", remember)
    return asked


def refusal(*words: str) -> str:
    with pytest.raises(WfrunError) as caught:
        run_command_line(list(words))
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_the_exit_code_of_the_session_is_returned(sessions: list[SessionOptions]) -> None:
    assert run_command_line([]) == 3
    assert len(sessions) == 1


def test_words_without_a_verb_are_a_run(sessions: list[SessionOptions], tmp_path: Path) -> None:
    (tmp_path / "list").mkdir()

    run_command_line(["./list", "-k", "complete", "--e2e"])
    run_command_line(["run", "./list", "-k", "complete", "--e2e"])

    first, second = sessions
    assert first.paths == second.paths
    assert first.selection.patterns == second.selection.patterns == ("complete",)
    assert first.selection.kinds == second.selection.kinds == {"e2e"}


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("--ptaern", "x"), "did you mean --pattern?"),
        (("run", "--fail-fats"), "did you mean --fail-fast?"),
        (("--worker", "2"), "did you mean --workers?"),
        (("list", "--jsn"), "did you mean --json?"),
    ],
)
def test_an_unknown_option_names_the_nearest(words: tuple[str, ...], meant: str) -> None:
    message = refusal(*words)

    assert message.startswith("there is no option --")
    assert meant in message


def test_an_option_like_no_other_points_to_the_help() -> None:
    assert refusal("-Z") == "there is no option -Z; wfrun run --help lists them"
    assert refusal("--0000000") == "there is no option --0000000; wfrun run --help lists them"


def test_a_letter_of_the_other_case_is_near() -> None:
    assert refusal("-X").startswith("there is no option -X; did you mean -x?")


def test_an_option_without_its_value_says_so() -> None:
    assert "'--pattern' requires an argument" in refusal("--pattern")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--workers", "0"), "whole number of at least 1"),
        (("--timeout", "-1"), "--timeout: '-1' is not a duration"),
        (("--compare", "x", "--threshold", "p99=abc"), "did you mean latency_p99_ns"),
        (("--compare", "x", "--threshold", "latency_p99_ns=abc"), "'abc' is not a percentage"),
        (("--compare", "x", "--threshold", "nonsense=5"), "no metric is called 'nonsense'"),
    ],
)
def test_a_bad_value_says_what_is_accepted(words: tuple[str, ...], part: str) -> None:
    assert part in refusal(*words)


def test_a_misspelt_verb_is_named() -> None:
    assert "did you mean the verb list: wfrun list" in refusal("lst")


@pytest.mark.parametrize("option", ["--junit", "--json", "--baseline"])
def test_a_file_that_cannot_be_written_is_found_before_the_session(
    option: str, sessions: list[SessionOptions], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FileError, match=option):
        run_command_line([option, "file/out.xml"])

    assert not sessions


def test_json_on_standard_output_needs_no_file(sessions: list[SessionOptions]) -> None:
    assert run_command_line(["--json", "-"]) == 3


def test_every_option_of_run_has_help_that_is_a_sentence() -> None:
    run = next(command for command in app.registered_commands if command.name == "run")
    assert run.callback is not None

    for name, annotation in run.callback.__annotations__.items():
        if name not in {"return", "context"}:
            (option,) = annotation.__metadata__
            assert option.help.endswith("."), name


def test_init_tells_what_it_wrote_and_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["init", "here"]) == 0

    assert capsys.readouterr().out == "wrote here/suites/suite_first.py\nnext: wfrun here/suites\n"
    assert (tmp_path / "here" / "suites" / "suite_first.py").is_file()


def test_usage_errors_are_those_of_wfrun() -> None:
    with pytest.raises(UsageError):
        run_command_line(["list", "a", "--nope"])
