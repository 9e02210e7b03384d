from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from wfrun.authoring.context import Context
from wfrun.authoring.info import Kind
from wfrun.authoring.suite import Suite
from wfrun.cli.first_suite import FIRST_SUITE, write_first_suite
from wfrun.errors import FileError


@pytest.fixture
def suite() -> Suite:
    names: dict[str, Any] = {"__name__": "suite_first"}
    exec(compile(FIRST_SUITE, "suite_first.py", "exec"), names)  # noqa: S102 - it is the text under test
    assert isinstance(names["suite"], Suite)
    return names["suite"]


def test_it_is_written_with_the_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    told = write_first_suite(Path())

    assert told == "wrote suites/suite_first.py\nnext: wfrun"
    assert (tmp_path / "suites" / "suite_first.py").read_text(encoding="utf-8") == FIRST_SUITE


def test_another_folder_is_named_in_the_next_command(tmp_path: Path) -> None:
    told = write_first_suite(tmp_path / "a project")

    assert told.endswith(f"next: wfrun '{tmp_path}/a project/suites'")


def test_a_file_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "suite_first.py").write_text("mine")

    with pytest.raises(FileError, match="exists already and stays as it is"):
        write_first_suite(tmp_path)

    assert (tmp_path / "suites" / "suite_first.py").read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "suites").touch()

    with pytest.raises(FileError, match="is in its place"):
        write_first_suite(tmp_path)


def test_it_has_two_cases_and_one_benchmark(suite: Suite) -> None:
    assert [case.kinds for case in suite.cases] == [(Kind.E2E,), (Kind.E2E,), (Kind.PERFORMANCE,)]


async def test_everything_in_it_passes(suite: Suite) -> None:
    for declared in suite.cases:
        for value in declared.parameters.get("workers", (None,)):
            context = Context("first", seed=1)
            arguments = {} if value is None else {"workers": value}
            result = declared.function(context, **arguments)
            if inspect.isawaitable(result):
                await result


def test_it_fits_the_screen_of_a_newcomer() -> None:
    assert all(len(line) <= 120 for line in FIRST_SUITE.splitlines())
    assert FIRST_SUITE.count("\n") < 90
