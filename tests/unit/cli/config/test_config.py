"""Settings from the file and the environment: what they may be, and which of them counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wfrun.cli.config.file import ConfigFile, read_config
from wfrun.cli.config.keys import Key, Value, value_of_file, value_of_variable
from wfrun.cli.config.resolve import resolve
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

FORMS: dict[str, Any] = {
    "workers": "text",
    "fail_fast": "flag",
    "verbose": "flag",
    "quiet": "flag",
    "e2e": "flag",
    "category": "list",
    "pattern": "list",
    "threshold": "list",
    "compare": "text",
    "pdb": "flag",
    "config": "text",
    "env": "text",
}
KEYS = {
    name: Key(name, f"--{name.replace('_', '-')}", form, takes_pairs=name == "threshold")
    for name, form in FORMS.items()
}


def written(folder: Path, text: str) -> ConfigFile:
    (folder / "pyproject.toml").write_text(text)
    return read_config(folder, KEYS)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("workers", 3, "3"),
        ("workers", "3", "3"),
        ("fail_fast", True, True),
        ("pattern", "a b", ("a b",)),
        ("pattern", ["a", "b"], ("a", "b")),
        ("threshold", {"wall_time_ns": 5, "x": 1.5}, ("wall_time_ns=5", "x=1.5")),
    ],
)
def test_a_value_of_the_file_is_read(name: str, value: object, read: Value) -> None:
    assert value_of_file(KEYS[name], value, "file") == read


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("workers", True, "here: workers takes a text or a number, not true"),
        ("workers", [1], "here: workers takes a text or a number, not a list"),
        ("fail_fast", "yes", "here: fail_fast takes true or false, not 'yes'"),
        ("pattern", [1], "here: pattern takes a text, a list of texts, not a list"),
        ("pattern", {"a": "b"}, "here: pattern takes a text, a list of texts, not a dict"),
        ("threshold", {"a": []}, "a text, a list of texts or a table, not a dict"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        value_of_file(KEYS[name], value, "here")

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("workers", "3", "3"),
        ("fail_fast", "Yes", True),
        ("fail_fast", "0", False),
        ("pattern", "Load Testing; a and b\nc;", ("Load Testing", "a and b", "c")),
    ],
)
def test_a_variable_is_read(name: str, text: str, read: Value) -> None:
    assert value_of_variable(KEYS[name], text) == read


def test_a_variable_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(UsageError, match=r"WFRUN_FAIL_FAST takes 1 or true or yes or on, or else 0 .*, not 'perhaps'"):
        value_of_variable(KEYS["fail_fast"], "perhaps")


def test_the_nearest_file_with_a_table_of_ours_counts(tmp_path: Path) -> None:
    written(tmp_path, "[tool.wfrun]\nworkers = 2\n")
    inner = tmp_path / "package" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "pyproject.toml").write_text('[project]\nname = "wfrun-plugin"\n')

    found = read_config(inner, KEYS)

    assert found.path == tmp_path / "pyproject.toml"
    assert found.defaults == {"workers": "2"}


def test_everything_in_the_file_is_read(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        """
        [tool.wfrun]
        fail-fast = true
        config = "mine"
        [tool.wfrun.profiles.mine]
        pattern = "a"
        env = "local"
        [tool.wfrun.env.local]
        URL = "http://localhost"
        PORT = 80
        """,
    )

    assert (found.profile, found.defaults) == ("mine", {"fail_fast": True})
    assert found.profiles == {"mine": {"pattern": ("a",), "env": "local"}}
    assert found.environments == {"local": {"URL": "http://localhost", "PORT": "80"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.wfrun]\nworker = 2\n", "pyproject.toml: [tool.wfrun] has no key 'worker'; did you mean workers?"),
        ("[tool.wfrun]\nzzz = 2\n", "has no key 'zzz'; there are workers, fail_fast"),
        (
            "[tool.wfrun.profiles.ci]\nfailfast = true\n",
            "[tool.wfrun.profiles.ci] has no key 'failfast'; did you mean",
        ),
        ("[tool.wfrun.profiles.ci]\nworkers = []\n", "[tool.wfrun.profiles.ci]: workers takes a text or a number"),
        ("[tool.wfrun]\nprofiles = 1\n", "profiles holds tables, as in [tool.wfrun.profiles.ci]"),
        ("[tool.wfrun]\nenv = 'x'\n", "env holds tables, as in [tool.wfrun.env.ci]"),
        ("[tool.wfrun]\nconfig = 1\n", "config takes the name of a profile, not 1"),
        ("[tool.wfrun.env.a]\nX = [1]\n", "[tool.wfrun.env.a]: the variable X takes a text or a number"),
        ("[tool]\nwfrun = 1\n", "[tool.wfrun] is not a table"),
        ("[tool.wfrun\n", "pyproject.toml is not valid TOML: Expected"),
    ],
)
def test_a_wrong_file_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        written(tmp_path, text)

    assert str(tmp_path) in str(caught.value)
    assert message in str(caught.value)


FILE = ConfigFile(
    defaults={"workers": "1", "pattern": ("file",), "quiet": True},
    profiles={"ci": {"workers": "2", "verbose": True}},
    environments={"local": {"X": "1"}},
)


def test_a_flag_beats_the_environment_which_beats_the_profile_which_beats_the_file() -> None:
    def workers(given: dict[str, Value | None], environ: dict[str, str], file: ConfigFile = FILE) -> Value | None:
        found = resolve(KEYS, file, environ, given=given).settings.get("workers")
        return None if found is None else found.value

    assert workers({}, {}, ConfigFile()) is None
    assert workers({}, {}) == "1"
    assert workers({"config": "ci"}, {}) == "2"
    assert workers({}, {"WFRUN_CONFIG": "ci"}) == "2"
    assert workers({"config": "ci"}, {"WFRUN_WORKERS": "3"}) == "3"
    assert workers({"config": "ci", "workers": "4"}, {"WFRUN_WORKERS": "3"}) is None
    assert workers({}, {"WFRUN_WORKERS": ""}) == "1"


def test_what_says_one_thing_together_comes_from_one_place() -> None:
    """Nobody who writes --e2e wants the category of the file as well; verbose and quiet would contradict each other."""
    file = ConfigFile(defaults={"category": ("unit",), "quiet": True})

    assert resolve(KEYS, file, {}, given={"e2e": True, "verbose": True}).settings == {}
    assert resolve(KEYS, file, {}, given={"e2e": False}).settings.keys() == {"category", "quiet"}
    assert resolve(KEYS, FILE, {}, given={"config": "ci"}).settings.keys() == {"workers", "verbose", "pattern"}


def test_a_tool_on_the_command_line_undoes_what_it_cannot_go_with() -> None:
    file = ConfigFile(defaults={"workers": "2", "compare": "main", "threshold": ("wall_time_ns=5",)})

    assert resolve(KEYS, file, {}, given={"pdb": True}).settings == {}
    assert resolve(KEYS, file, {}, given={"pdb": False}).settings.keys() == {"workers", "compare", "threshold"}
    assert resolve(KEYS, ConfigFile(defaults={"pdb": True}), {}, given={"workers": "2"}).settings == {}


def test_what_says_how_another_option_works_waits_for_it() -> None:
    file = ConfigFile(defaults={"threshold": ("wall_time_ns=5",)})

    assert resolve(KEYS, file, {}, given={}).settings == {}
    assert resolve(KEYS, file, {}, given={"compare": "main"}).settings.keys() == {"threshold"}
    assert resolve(KEYS, file, {"WFRUN_COMPARE": "main"}, given={}).settings.keys() == {"compare", "threshold"}


def test_a_profile_of_the_file_takes_the_place_of_one_that_is_built_in() -> None:
    assert resolve(KEYS, ConfigFile(), {}, given={"config": "dev"}).settings["fail_fast"].value is True
    file = ConfigFile(profiles={"dev": {"workers": "7"}})
    assert resolve(KEYS, file, {}, given={"config": "dev"}).settings.keys() == {"workers"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"config": "cj"}, "there is no profile 'cj'; did you mean ci?"),
        ({"config": "nightly"}, "there is no profile 'nightly'; there are ci, dev, perf"),
        ({"env": "locl"}, "--env: there is no set of variables 'locl'; did you mean local?"),
    ],
)
def test_a_profile_or_set_that_is_not_there_names_those_that_are(given: dict[str, Value | None], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(KEYS, FILE, {}, given=given)

    assert message in str(caught.value)


def test_the_set_of_variables_is_returned() -> None:
    assert resolve(KEYS, FILE, {"WFRUN_ENV": "local"}, given={}).environment == {"X": "1"}
