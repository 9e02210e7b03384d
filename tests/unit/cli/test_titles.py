"""Titles and tags are found in the syntax tree; nothing of a suite file is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

from wfrun.cli.titles import scan_suites

SUITE = """
import wfrun
raise RuntimeError("never import me")
suite = wfrun.Suite("Load Testing", tags=["load", "slow"])
other: wfrun.Suite = Suite(title="Other")
name = "computed"

@suite.case("MPMC under load", tags=("mpmc",))
async def under_load(): ...

@suite.case(kinds=["unit"])
def without_a_title(): ...

@suite.benchmark(name)
def computed(): ...

@suite.fixture
def fixture(): ...

def plain(): return other.case("not a case")
"""


def test_titles_and_tags_are_found(tmp_path: Path) -> None:
    (tmp_path / "suite_a.py").write_text(SUITE)

    words = scan_suites([tmp_path / "suite_a.py"], most_s=10)

    assert list(words.titles) == ["Load Testing", "Other", "MPMC under load", "Without a title", "Computed"]
    assert list(words.tags) == ["load", "slow", "mpmc"]


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "suite_a.py").write_text("def (")
    (tmp_path / "suite_b.py").write_bytes(b"\xff\x00")
    (tmp_path / "suite_c.py").write_text('suite = Suite("Still there")')

    words = scan_suites([tmp_path / f"suite_{name}.py" for name in ("gone", "a", "b", "c")], most_s=10)

    assert list(words.titles) == ["Still there"]


def test_it_ends_when_its_time_is_up(tmp_path: Path) -> None:
    (tmp_path / "suite_a.py").write_text('suite = Suite("Too late")')

    assert not scan_suites([tmp_path / "suite_a.py"], most_s=-1).titles
