from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wfrun.authoring.collect import CollectedCase, collect_file, suite_path, suites_root
from wfrun.authoring.errors import BadDeclaration, DuplicateCase, FixtureCycle, ModuleClash, UnknownFixture
from wfrun.authoring.info import Kind, cases_from_json, cases_to_json


@pytest.fixture(autouse=True)
def _untouched_imports() -> Iterator[None]:
    modules, path = dict(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]


def collect(folder: Path, source: str, name: str = "suite_orders.py") -> list[CollectedCase]:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("from wfrun import Suite\nsuite = Suite('Orders', tags=['shop'])\n" + source)
    return collect_file(file)


def test_a_case_is_known_by_its_file_and_function(tmp_path: Path) -> None:
    (case,) = collect(tmp_path / "suites" / "shop", "@suite.case('Ships once')\ndef ships_once(): ...\n")

    assert case.info.id == "shop/orders::ships_once"
    assert (case.info.title, case.info.suite_title) == ("Ships once", "Orders")
    assert case.info.kinds == (Kind.E2E,)
    assert case.info.tags == ("shop",)
    assert case.info.line == 3


def test_a_case_without_a_title_is_called_like_its_function_in_words(tmp_path: Path) -> None:
    (case,) = collect(tmp_path, "@suite.case()\ndef ships_once(): ...\n")

    assert case.info.title == "Ships once"


def test_every_combination_of_parameters_is_a_case(tmp_path: Path) -> None:
    cases = collect(tmp_path, "@suite.case(parameters={'n': [1, 2], 'mode': ['a b', max]})\ndef x(n, mode): ...\n")

    assert [case.info.id.partition("::")[2] for case in cases] == [
        "x[n=1,mode=a-b]",
        "x[n=1,mode=max]",
        "x[n=2,mode=a-b]",
        "x[n=2,mode=max]",
    ]
    assert cases[3].arguments == {"n": 2, "mode": max}


def test_ids_are_readable_and_distinct_whatever_the_values_are(tmp_path: Path) -> None:
    source = """
import enum, pathlib
class Colour(enum.Enum):
    RED = 1
class Thing:
    name = "thing"
values = [Colour.RED, 0.1, -2, None, "x" * 80, "", b"b", pathlib.Path("a/b"), Thing(), 1, True, 1.0]
@suite.case(parameters={'n': values})
def x(n): ...
@suite.case(parameters={'n': ["n1", {}, "n2", [], [], "n1"]})
def y(n): ...
"""
    cases = collect(tmp_path, source)
    labels = [case.info.parameters["n"] for case in cases]

    assert labels[:12] == ["RED", "0.1", "-2", "None", "n4", "n5", "n6", "b", "thing", "1", "True", "1.0"]
    assert labels[12:] == ["n1", "n1-again", "n2", "n3", "n4", "n5"]
    assert len({case.info.id for case in cases}) == len(cases)


def test_values_without_a_short_text_are_numbered(tmp_path: Path) -> None:
    cases = collect(tmp_path, "@suite.case(parameters={'n': [{}, {}, 'same', 'same']})\ndef x(n): ...\n")

    assert [case.info.parameters["n"] for case in cases] == ["n0", "n1", "same", "n3"]


def test_two_functions_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    source = "@suite.case()\ndef x(): ...\n@suite.case()\ndef x(): ...\n"

    with pytest.raises(DuplicateCase, match=r"'orders::x' is at .*:3 and again at .*:5; rename one"):
        collect(tmp_path / "suites", source)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("@suite.case(kinds=['speed'])\ndef x(): ...", BadDeclaration, "kinds are unit, integration, e2e"),
        ("@suite.case(kinds=[])\ndef x(): ...", BadDeclaration, "needs at least one kind"),
        ("@suite.case(parameters={'n': []})\ndef x(n): ...", BadDeclaration, "'n' has no values"),
        ("@suite.case(parameters={'n': [1]})\ndef x(): ...", BadDeclaration, r"x\(\) does not take the parameter 'n'"),
        ("@suite.case()\ndef x(contxt): ...", UnknownFixture, "asks for 'contxt'; did you mean 'context'"),
        (
            "@suite.fixture\ndef a(b): ...\n@suite.fixture\ndef b(a): ...\n@suite.case()\ndef x(a): ...",
            FixtureCycle,
            "a → b → a",
        ),
        ("@suite.fixture\ndef context(): ...", BadDeclaration, "'context' is wfrun's own"),
        ("@suite.fixture\ndef a(): ...\n@suite.fixture\ndef a(): ...", BadDeclaration, "has a fixture 'a' at"),
    ],
)
def test_mistakes_are_refused_while_the_file_loads(
    tmp_path: Path, source: str, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        collect(tmp_path, source)


def test_a_suite_in_a_package_uses_relative_imports(tmp_path: Path) -> None:
    folder = tmp_path / "suites" / "shop_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "helper.py").write_text("TITLE = 'from the helper'\n")

    (case,) = collect(folder, "from .helper import TITLE\n@suite.case(TITLE)\ndef x(): ...\n")

    assert case.info.title == "from the helper"


def test_helpers_of_one_name_in_two_folders_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wfrun_test_helper.py").write_text(f"NAME = {name!r}\n")
    source = "import wfrun_test_helper\n@suite.case(wfrun_test_helper.NAME)\ndef x(): ...\n"
    collect(tmp_path / "one", source)

    with pytest.raises(ModuleClash, match=r"put an __init__\.py into"):
        collect(tmp_path / "two", source)


def test_two_lone_files_of_one_name_do_not_replace_each_other(tmp_path: Path) -> None:
    (one,) = collect(tmp_path / "one", "@suite.case('one')\ndef x(): ...\n")
    (two,) = collect(tmp_path / "two", "@suite.case('two')\ndef x(): ...\n")

    assert (one.info.title, two.info.title) == ("one", "two")


def test_ids_are_relative_to_the_nearest_folder_called_suites(tmp_path: Path) -> None:
    file = tmp_path / "project" / "suites" / "deep" / "suite_a.py"

    assert suites_root(file) == tmp_path / "project" / "suites"
    assert suite_path(file) == "deep/a"


def test_without_such_a_folder_ids_are_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")

    assert suite_path(tmp_path / "checks" / "suite_a.py") == "checks/a"


def test_what_crosses_to_another_process_comes_back_the_same(tmp_path: Path) -> None:
    (case,) = collect(tmp_path, "@suite.benchmark(parameters={'n': [3]})\ndef x(n): ...\n")

    (again,) = cases_from_json(cases_to_json([case.info]))

    assert again == case.info
    assert again.digest() == case.info.digest()


def test_a_changed_function_changes_the_digest(tmp_path: Path) -> None:
    (before,) = collect(tmp_path / "a", "@suite.case()\ndef x(): return 1\n")
    (after,) = collect(tmp_path / "b", "@suite.case()\ndef x(): return 2\n")

    assert before.info.source_hash != after.info.source_hash


def test_a_case_may_say_what_it_leaves_behind(tmp_path: Path) -> None:
    one, many = collect(
        tmp_path,
        "@suite.case(allow_leaks='threads')\ndef one(): ...\n"
        "@suite.case(allow_leaks=['tasks', 'files'])\ndef many(): ...\n",
    )

    assert one.declaration.allow_leaks == ("threads",)
    assert many.declaration.allow_leaks == ("tasks", "files")


def test_an_unknown_leak_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDeclaration, match="'sockets' is no kind of leak; there are tasks, threads, processes"):
        collect(tmp_path, "@suite.case(allow_leaks=['sockets'])\ndef leaks(): ...\n")
