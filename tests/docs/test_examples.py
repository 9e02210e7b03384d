"""Every example in the documents runs, and shows what it really prints.

- A ```python block is saved as a program and run; a ```text block right behind it is all that it prints.
- One marked ``file=PATH`` is written to that path in the page's own project instead. Where that is a suite, the real
  command runs it: all its cases, with ``measured`` also the benchmarks, and with ``fails`` a failure is what it shows.
- A ```console block marked ``check`` is run line by line in that project. What it shows must be what is printed, but
  for the size of durations, rates, shares and amounts; a line ``…`` stands for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+) *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
MEASURED = re.compile(r"[-+]?\d[\d,.]*(?: (?:ns|µs|ms|s|m \d\d s|B|KiB|MiB|[kMG]/s|%)|/s)(?!\w)")
CHANGING = [
    (re.compile(r"[-+]\d[\d.,]* … [-+]\d[\d.,]* %"), "INTERVAL"),
    (MEASURED, "AMOUNT"),
    (re.compile(r"wfrun \d+\.\d+\.\d+"), "wfrun VERSION"),
    (re.compile(r"[\s─]+"), " "),
]


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    marks: dict[str, str]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start()) + 1,
            found[1],
            dict(word.partition("=")[::2] for word in found[2].split()),
            found[3],
        )
        for found in FENCE.finditer(text)
    ]


BLOCKS = {page: blocks_of(page) for page in PAGES}


def programs() -> Sequence[object]:
    """Every program with what it is said to print."""
    found = []
    for blocks in BLOCKS.values():
        for block, after in zip_longest(blocks, blocks[1:]):
            if block.language != "python" or "file" in block.marks:
                continue
            directly = after is not None and after.line == block.line + block.text.count("\n") + 3
            printed = after.text if after is not None and directly and after.language == "text" else ""
            found.append(pytest.param(block, printed, id=block.place))
    return found


def in_project(block: Block) -> bool:
    return "file" in block.marks or "check" in block.marks


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run as a reader would, in an environment that is the same everywhere."""
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "110", "WFRUN_BUDGET": "0.4s"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("block", "printed"), programs())
def test_every_program_runs_and_prints_what_the_page_says(block: Block, printed: str, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(block.text, encoding="utf-8")

    ran = run([sys.executable, "-W", "error", program.name], tmp_path)

    assert ran.returncode == 0, f"{block.place}\n{ran.stdout}"
    assert ran.stdout == printed, block.place


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(map(in_project, BLOCKS[page]))], ids=lambda page: page.name
)
def test_the_files_and_commands_of_a_page_work_in_their_order(page: Path, tmp_path: Path) -> None:
    for block in filter(in_project, BLOCKS[page]):
        if "check" in block.marks:
            check_console(block, tmp_path)
        else:
            write(block, tmp_path)


def write(block: Block, project: Path) -> None:
    file = project / block.marks["file"]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")
    if not file.name.startswith("suite_"):
        return
    kinds = ["--unit", "--integration", "--e2e", *(["--performance", "--stress"] if "measured" in block.marks else [])]
    ran = run(["wfrun", str(file), *kinds], project)
    assert ran.returncode == (1 if "fails" in block.marks else 0), f"{block.place}\n{ran.stdout}"


def check_console(block: Block, project: Path) -> None:
    """Run a block's commands; ``$ echo $?`` tells the last one's exit code, which is otherwise 0."""
    last_code: int | None = None
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        if command == "echo $?":
            assert expected.strip() == str(last_code), block.place
            last_code = None
            continue
        assert not last_code, f"{block.place}: the command before {command!r} ended with {last_code}"
        ran = run(["bash", "-c", command], project)
        last_code = ran.returncode
        assert fits(ran.stdout, expected), f"{block.place}: {command} ended with {last_code} and printed\n{ran.stdout}"
    assert not last_code, f"{block.place}: the last command ended with {last_code}"


def fits(printed: str, expected: str) -> bool:
    """Return whether ``printed`` is what the page shows, line by line, blank ones aside."""
    parts = [ANYTHING if line == ANYTHING else re.escape(line) + "\n" for line in lines_of(expected)]
    pattern = "".join(r"(?:.*\n)*" if part == ANYTHING else part for part in parts)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines_of(printed))) is not None


def lines_of(text: str) -> list[str]:
    """Return the lines that are not blank, with everything that changes from run to run made the same."""
    lines = []
    for line in text.splitlines():
        for pattern, instead in CHANGING:
            line = pattern.sub(instead, line)  # noqa: PLW2901 - one line, step by step
        if line.strip():
            lines.append(line.strip())
    return lines


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("PASS  a  (3.1 ms)\n", "PASS  a  (12 µs)\n"),
        ("one\ntwo\nthree\n", "…\nthree\n"),
        ("3 passed · 146 ms\n", "3 passed · 2.10 s\n"),
        ("x  +3.1 … +9.2 %\n", "x  -1.0 … +2.0 %\n"),
    ],
)
def test_what_changes_from_run_to_run_does_not_count(printed: str, expected: str) -> None:
    assert fits(printed, expected)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("PASS  a  (3.1 ms)\n", "FAIL  a  (3.1 ms)\n"),
        ("one\ntwo\n", "one\n"),
        ("3 passed · 146 ms\n", "4 passed · 146 ms\n"),
        ("one\n", "…\ntwo\n"),
    ],
)
def test_a_page_that_shows_something_else_is_found(printed: str, expected: str) -> None:
    assert not fits(printed, expected)
