"""The pages keep to what is there: links lead somewhere, tables and trees match the code, no machine shows through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wfrun
import wfrun.concurrency
from wfrun.errors import ExitCode
from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.verdicts import Verdict

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
EVERY_PAGE = [pytest.param(page, id=page.name) for page in PAGES]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:home|root|work|tmp|mnt|opt|usr|var|Users|private)/")


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get where it is shown."""
    headings = re.findall(r"^#+ +(.*)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_no_path_of_a_machine_is_on_a_page(page: Path) -> None:
    assert MACHINE_PATH.findall(page.read_text(encoding="utf-8")) == []


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(LINK.findall(readme))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200


def test_the_readme_lists_every_exit_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)} == set(map(int, ExitCode))


@pytest.mark.parametrize("name", sorted(set(wfrun.__all__) - {"__version__"}))
def test_the_page_about_suites_names_everything_a_suite_imports(name: str) -> None:
    page = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")

    assert re.search(rf"\b{name}\b", page)


@pytest.mark.parametrize("name", wfrun.concurrency.__all__)
def test_the_page_about_channels_names_everything_of_the_core(name: str) -> None:
    page = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")

    assert re.search(rf"\b{name}\b", page)


@pytest.mark.parametrize("name", [*METRICS, *Verdict])
def test_the_page_about_comparing_names_every_metric_and_verdict(name: str) -> None:
    page = (ROOT / "docs" / "comparing.md").read_text(encoding="utf-8")

    assert re.search(rf"^\| [`*]*{name}[`*]* \|", page, re.MULTILINE)


def tree_paths() -> list[str]:
    """The paths in the tree that ARCHITECTURE.md draws."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawn = re.search(r"^```text tree\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert drawn is not None
    paths: list[str] = []
    folders: dict[int, str] = {0: ""}
    for line in drawn[1].splitlines():
        names = re.match(r"( *)((?:\S+ )*?\S+)(?:  |$)", line)
        if names is None or not names[2]:
            continue
        depth = len(names[1])
        paths += [folders[depth] + name for name in names[2].split(" ")]
        folders[depth + 2] = paths[-1]
    return paths


@pytest.mark.parametrize("path", tree_paths())
def test_what_the_architecture_draws_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_architecture_draws_every_package() -> None:
    packages = {f"{init.parent.relative_to(ROOT)}/" for init in (ROOT / "wfrun").rglob("__init__.py")}

    assert packages <= set(tree_paths())
