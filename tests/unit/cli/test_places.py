from __future__ import annotations

import os
from pathlib import Path

import pytest

from wfrun.cli.places import check_outputs, check_paths, check_writable
from wfrun.errors import FileError, UsageError
from wfrun.runner.options import Outputs

VERBS = ["run", "list", "init"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites" / "orders").mkdir(parents=True)
    (tmp_path / "suites" / "orders" / "suite_orders.py").touch()
    return tmp_path


def refusal(path: str) -> str:
    with pytest.raises(UsageError) as caught:
        check_paths([Path(path)], VERBS)
    return str(caught.value)


def test_paths_that_exist_are_accepted() -> None:
    check_paths([Path("suites"), Path("suites/orders/suite_orders.py")], VERBS)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("suite", "did you mean suites?"),
        ("suites/order", "did you mean suites/orders?"),
        ("suits/orders/suite_orders.py", "did you mean suites/orders/suite_orders.py?"),
        ("lst", "did you mean the verb list: wfrun list …?"),
        ("list", "'list' is a verb and goes first: wfrun list …"),
        ("suites/orders/suite_orders.py::case", "wfrun --case suites/orders/suite_orders.py::case"),
        ("qqqq", "the verbs are run, list, init"),
    ],
)
def test_a_path_where_nothing_is_names_what_may_be_meant(path: str, meant: str) -> None:
    message = refusal(path)

    assert message.startswith(f"there is no file or folder {path!r}; ")
    assert meant in message


def test_a_link_to_nowhere_names_its_target(folder: Path) -> None:
    (folder / "link").symlink_to("gone")

    assert refusal("link") == "'link' is a link to 'gone', where nothing is"


def test_a_file_in_folders_that_can_be_made_is_accepted_and_nothing_is_left(folder: Path) -> None:
    before = sorted(folder.rglob("*"))

    check_writable("--junit", Path("new/deeper/out.xml"))

    assert sorted(folder.rglob("*")) == before


def test_a_folder_is_no_output_file() -> None:
    with pytest.raises(FileError, match="this is a folder; name a file in it"):
        check_writable("--junit", Path("suites"))


def test_a_file_below_a_file_cannot_be_written() -> None:
    with pytest.raises(FileError, match="Not a directory"):
        check_writable("--junit", Path("suites/orders/suite_orders.py/out.xml"))


def test_a_folder_that_takes_no_files_is_refused() -> None:
    """Even root cannot write everywhere, which asking for permissions alone would not notice."""
    place = Path("/proc/self/out.xml") if Path("/proc/self").exists() else Path("/dev/fd/out.xml")

    with pytest.raises(FileError, match="--json"):
        check_writable("--json", place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_folder_without_permission_is_refused(folder: Path) -> None:
    (folder / "suites").chmod(0o500)

    with pytest.raises(FileError, match="Permission denied"):
        check_writable("--json", Path("suites/out.json"))


def test_a_device_is_accepted() -> None:
    check_writable("--junit", Path(os.devnull))


def test_two_options_may_not_name_one_file() -> None:
    with pytest.raises(UsageError, match="--junit and --json both name"):
        check_outputs(Outputs(junit_path=Path("out"), json_path=Path("./out")))


def test_a_baseline_is_looked_for_where_it_will_be_written(folder: Path) -> None:
    (folder / "baselines").touch()

    with pytest.raises(FileError, match="--baseline"):
        check_outputs(Outputs(baseline_path=Path("main")))


def test_standard_output_is_no_file(folder: Path) -> None:
    (folder / "-").mkdir()

    check_outputs(Outputs(json_path=Path("-")))
