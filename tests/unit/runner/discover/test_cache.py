from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from wfrun.runner.discover.cache import DiscoveryCache, cached_cases
from wfrun.runner.discover.discover import discover

if TYPE_CHECKING:
    from wfrun.runner.discover.discovery import Discovery

SUITE = """
from pathlib import Path

from helper import NAMES
from wfrun import Suite

suite = Suite("Names")


@suite.case(parameters={"name": [*NAMES, *Path("names.txt").read_text().split()]})
async def greeted(name): ...
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("suites").mkdir()
    Path("suites/suite_names.py").write_text(SUITE)
    Path("suites/suite_more.py").write_text(
        'from wfrun import Suite\nsuite = Suite("More")\n@suite.case()\ndef a(): ...\n'
    )
    Path("suites/helper.py").write_text("NAMES = ['ada']\n")
    Path("names.txt").write_text("grace")
    long_ago(*Path().rglob("*"))
    return tmp_path


def long_ago(*paths: Path) -> None:
    """Make the files look settled: what changed while it was read is not kept."""
    for path in paths:
        os.utime(path, ns=(0, time.time_ns() - 10**10))


def find() -> tuple[Discovery, bool]:
    """What discovery finds, and whether it had to import anything."""
    cache = DiscoveryCache()
    files = [str(file) for file in Path("suites").resolve().glob("suite_*.py")]
    all_known = set(cache.known(files)) == set(files)
    return asyncio.run(discover([Path("suites")], cache=DiscoveryCache())), not all_known


def ids(found: Discovery) -> list[str]:
    return [case.id for case in found.cases]


def test_what_has_not_changed_is_not_imported_again() -> None:
    first, imported = find()
    assert imported
    long_ago(Path("suites"))
    find()  # importing made a folder of byte-code in suites/, which counts as a change once

    second, imported_again = find()

    assert not imported_again
    assert second.cases == first.cases
    assert ids(second) == ["more::a", "names::greeted[name=ada]", "names::greeted[name=grace]"]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("suites/helper.py", "NAMES = ['ada', 'tony']\n", "names::greeted[name=tony]"),
        ("names.txt", "grace barbara", "names::greeted[name=barbara]"),
        (
            "suites/suite_more.py",
            'from wfrun import Suite\nsuite = Suite("M")\n@suite.case()\ndef b(): ...\n',
            "more::b",
        ),
    ],
)
def test_a_change_of_the_file_a_module_or_a_data_file_is_seen(path: str, text: str, expected: str) -> None:
    find()
    long_ago(Path("suites"))
    find()
    Path(path).write_text(text)

    found, imported = find()

    assert imported
    assert expected in ids(found)


def test_a_fixture_file_that_comes_to_be_is_a_change() -> None:
    find()
    long_ago(Path("suites"))
    find()
    assert not find()[1]

    Path("suites/fixtures.py").write_text("")

    assert find()[1]


def test_another_environment_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    find()
    long_ago(Path("suites"))
    find()
    monkeypatch.setenv("SHOP_URL", "http://127.0.0.1:1")

    assert find()[1]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 2}', b"\xff" * 100])
def test_a_damaged_cache_is_made_anew_and_said_once(content: bytes) -> None:
    find()
    Path(".wfrun/discovery.json").write_bytes(content)

    found, imported = find()

    assert imported
    assert len(found.cases) == 3
    (warning,) = found.warnings
    assert ".wfrun/discovery.json could not be used" in warning
    assert find()[0].warnings == ()


def test_a_cache_of_other_fields_is_made_anew() -> None:
    find()
    path = Path(".wfrun/discovery.json")
    kept = orjson.loads(path.read_bytes())
    for file in kept["files"].values():
        for case in file["found"]["cases"]:
            del case[1]
    path.write_bytes(orjson.dumps(kept))

    found, _ = find()

    assert len(found.cases) == 3


def test_what_was_not_looked_at_after_a_change_is_not_taken_for_known() -> None:
    find()
    long_ago(Path("suites"))
    find()
    Path("suites/helper.py").write_text("NAMES = ['tony']\n")
    Path("suites/suite_more.py").write_text("import helper\n" + Path("suites/suite_more.py").read_text())
    long_ago(Path("suites"), Path("suites/helper.py"), Path("suites/suite_more.py"))

    # Imports the changed module, so that it is stamped anew, and not the suite that has its cases from it.
    asyncio.run(discover([Path("suites/suite_more.py")], cache=DiscoveryCache()))

    assert "names::greeted[name=tony]" in ids(find()[0])


def test_a_file_that_fails_after_a_change_besides_it_goes_on_failing() -> None:
    find()
    long_ago(Path("suites"))
    find()
    Path("suites/helper.py").write_text("")
    long_ago(Path("suites"), Path("suites/helper.py"))

    assert len(find()[0].failures) == 1
    assert len(find()[0].failures) == 1


def test_files_whose_process_ended_early_are_not_kept() -> None:
    """What else was read for them is known only to the process that read it."""
    Path("suites/suite_z.py").write_text("import os\nos._exit(3)\n")
    long_ago(*Path("suites").glob("*.py"))
    find()
    Path("suites/helper.py").write_text("NAMES = ['tony']\n")

    found, _ = find()

    assert "names::greeted[name=tony]" in ids(found)
    assert len(found.failures) == 1


def test_a_file_that_fails_is_tried_again_each_time() -> None:
    Path("suites/suite_broken.py").write_text("raise ValueError('nope')\n")

    assert len(find()[0].failures) == 1
    assert len(find()[0].failures) == 1


def test_a_folder_that_cannot_be_written_costs_only_time(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".wfrun").write_text("a file in the place of the folder")

    found, _ = find()

    assert len(found.cases) == 3


def test_completion_is_given_what_was_found_last(folder: Path) -> None:
    assert cached_cases() == []

    found, _ = find()

    assert {case.id for case in cached_cases()} == set(ids(found))
    assert cached_cases(folder / "elsewhere.json") == []
