"""Options kept in pyproject.toml and in variables, seen from outside."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.acceptance.conftest import Project

SUITE: Final = """
@suite.case("First fails")
def first(): assert os.environ.get("GREETING") == "hello", "no greeting"

@suite.case("Second passes", tags=("slow",))
def second(): pass

@suite.case("Third passes", kinds=("unit",))
def third(): pass

@suite.benchmark("Fourth is measured")
def fourth(): pass
"""
FILE: Final = """
[tool.wfrun]
workers = 1
exclude = ["third"]
threshold = { wall_time_ns = 10 }

[tool.wfrun.profiles.ci]
fail-fast = true
exclude = "fourth"

[tool.wfrun.profiles.hello]
env = "hello"

[tool.wfrun.env.hello]
GREETING = "hello"
"""


@pytest.fixture
def configured(project: Project) -> Project:
    return project.write({"suites/suite_a.py": SUITE, "pyproject.toml": FILE})


def shown(project: Project, *arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    ran = project.run("config", "show", "--json", *arguments, env=env)
    assert ran.code == 0, ran.text
    project.write({"shown.json": ran.out})
    found: dict[str, Any] = project.json("shown.json")
    return found


def test_defaults_of_the_file_count_in_sessions_and_lists_also_from_a_folder_below(configured: Project) -> None:
    assert "1 failed · 1 passed · 2 not selected" in configured.run().out
    assert "Third passes" not in configured.run("list").out
    below = Project(configured.folder / "suites").run("list", ".")

    assert "Third passes" not in below.out
    assert "Second passes" in below.out


def test_a_profile_changes_what_the_file_says(configured: Project) -> None:
    ran = configured.run("--config", "ci")

    assert ran.code == 1
    assert "1 failed · 2 not run" in ran.out


def test_a_flag_beats_a_variable_which_beats_the_profile_which_beats_the_file(configured: Project) -> None:
    def exclude(*arguments: str, **env: str) -> list[str]:
        option = shown(configured, *arguments, env=env)["options"]["exclude"]
        return [option["source"], *option["value"]]

    assert exclude() == ["file", "third"]
    assert exclude("--config", "ci") == ["profile", "fourth"]
    assert exclude("--config", "ci", WFRUN_EXCLUDE="a;b") == ["variable", "a", "b"]
    assert exclude("--config", "ci", "--exclude", "z", WFRUN_EXCLUDE="a;b") == ["flag", "z"]


def test_variables_choose_like_their_options(configured: Project) -> None:
    ran = configured.run("list", env={"WFRUN_PATTERN": "second passes or fourth", "WFRUN_TAG": "slow"})

    assert "1 of 4 cases" in ran.out
    assert "1 passed" in configured.run(env={"WFRUN_PATTERN": "second", "WFRUN_CONFIG": "ci"}).out


def test_a_flag_of_the_file_is_taken_back_on_the_command_line(configured: Project) -> None:
    ran = configured.run("--config", "ci", "--fail-fast=no")

    assert "1 failed · 2 passed" in ran.out


def test_a_set_of_variables_is_given_to_cases(configured: Project) -> None:
    for arguments in (["--env", "hello"], ["--config", "hello"]):
        ran = configured.run(*arguments)
        assert ran.code == 0
        assert "2 passed" in ran.out


def test_the_perf_profile_is_built_in(configured: Project) -> None:
    assert "Fourth is measured" in configured.run("list", "--config", "perf").out
    assert "1 of 4 cases" in configured.run("list", "--config", "perf").out


def test_show_tells_where_each_value_comes_from(configured: Project) -> None:
    ran = configured.run("config", "show", "--config", "hello", "-k", "a b", "suites", env={"WFRUN_TIMEOUT": "5s"})

    assert ran.code == 0
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in ran.out.splitlines() if line}
    assert lines["pattern"] == "a b command line, --pattern"
    assert lines["paths"] == "suites command line"
    assert lines["timeout"] == "5s WFRUN_TIMEOUT"
    assert lines["workers"].startswith("1 ")
    assert lines["workers"].endswith("pyproject.toml [tool.wfrun]")
    assert lines["env"].endswith("[tool.wfrun.profiles.hello]")
    assert lines["fail_fast"] == "no default"
    assert lines["$GREETING"].startswith("set for the cases")
    assert "hello" not in lines["$GREETING"].partition("pyproject")[0]


def test_a_working_folder_that_is_gone_is_told(project: Project) -> None:
    ran = project.run("list", preexec_fn=project.folder.rmdir)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "wfrun: the working folder is not there any more; change to one that is\n"


def test_show_names_a_variable_that_is_no_option(configured: Project) -> None:
    ran = configured.run("config", "show", env={"WFRUN_WORKRES": "2"})

    assert "WFRUN_WORKRES is set, and is no option; did you mean WFRUN_WORKERS?" in ran.out


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (["--config", "cii"], {}, "there is no profile 'cii'; did you mean ci?"),
        (["--config", "nightly"], {}, "there is no profile 'nightly'; there are ci, hello, dev, perf"),
        (["--env", "helo"], {}, "--env: there is no set of variables 'helo'; did you mean hello?"),
        ([], {"WFRUN_WORKERS": "none"}, "--workers (set by WFRUN_WORKERS) takes a whole number of at least 1"),
        ([], {"WFRUN_FAIL_FAST": "perhaps"}, "WFRUN_FAIL_FAST takes 1 or true or yes or on, or else 0"),
        ([], {"WFRUN_PATTERN": "a and"}, "--pattern (set by WFRUN_PATTERN): a phrase is missing after 'and'"),
        (["config", "shw"], {}, "wfrun config can do show, not 'shw'"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused(
    configured: Project, arguments: list[str], env: dict[str, str], message: str
) -> None:
    ran = configured.run(*arguments, env=env)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.wfrun]\nworker = 2\n", "pyproject.toml: [tool.wfrun] has no key 'worker'; did you mean workers?"),
        ("[tool.wfrun]\nworkers = []\n", "pyproject.toml: [tool.wfrun]: workers takes a text or a number, not a list"),
        ("[tool.wfrun]\nworkers = 0\n", "pyproject.toml [tool.wfrun]) takes a whole number of at least 1, not '0'"),
        ("[tool.wfrun\n", "pyproject.toml is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused(configured: Project, text: str, message: str) -> None:
    configured.write({"pyproject.toml": text})

    ran = configured.run()

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert configured.run("--help").code == configured.run("--version").code == 0
