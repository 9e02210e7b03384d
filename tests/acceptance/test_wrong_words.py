"""A wrong command line is answered at once: what is wrong, what was meant, exit code 2, and no traceback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

SUITE: Final = """
@suite.case("Every order is shipped", tags=("orders",))
def every_order_is_shipped(): pass

@suite.benchmark("Orders per second")
def orders_per_second(): pass
"""


@pytest.fixture
def shop(project: Project) -> Project:
    return project.write({"suites/suite_shop.py": SUITE, "file": "in the way\n", "notes.txt": "no suite\n"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--perfomance"], "there is no option --perfomance; did you mean --performance?"),
        (["--timeout", "soon"], "--timeout: 'soon' is not a duration"),
        (["--timeout", "0"], "would end every case before it starts"),
        (["--workers", "none"], "--workers takes a whole number of at least 1, not 'none'"),
        (["--compare", "x", "--threshold", "p99=5"], "did you mean latency_p99_ns or "),
        (["--target", "channels=unknown"], "--target: channels has no implementation 'unknown'; there are "),
        (["--target", "chanels=asyncio"], "--target: no system is called 'chanels'; there are "),
        (["suits"], "there is no file or folder 'suits'; did you mean suites?"),
        (["lst"], "did you mean the verb list: wfrun list"),
        (["notes.txt"], "notes.txt is not a suite: suite files are called suite_*.py"),
        (["--junit", "file/out.xml"], "--junit file/out.xml: cannot write in "),
        (["--json", "/proc/out.json"], "--json /proc/out.json: cannot write in /proc: "),
        (["--performance", "--baseline", "file/b"], "--baseline "),
        (["--junit", "out", "--json", "out"], "--junit and --json both name out; one would overwrite the other"),
        (["init"], "is in its place"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_is_refused_and_explained(shop: Project, arguments: list[str], message: str) -> None:
    if arguments == ["init"]:
        (shop.folder / "suites" / "suite_shop.py").unlink()
        (shop.folder / "suites").rmdir()
        (shop.folder / "suites").write_text("a file")

    ran = shop.run(*arguments)

    assert ran.code == 2
    assert ran.err.startswith("wfrun: ")
    assert message in ran.err
    assert "Traceback" not in ran.text
    assert ran.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pattern", "every ordr is shiped"], "the nearest titles are 'Every order is shipped'"),
        (["--tag", "nothing"], "no case has the tag nothing; there are orders"),
        (["--unit"], "2 cases would match, but of kind e2e, performance and not unit"),
        (["--pattern", "per second"], "1 case would match, but of kind performance"),
        (["--e2e", "--baseline", "x"], "nothing would be measured for x: no selected case is measured; add --perf"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_nothing_selected_is_exit_code_4_with_a_hint(shop: Project, arguments: list[str], message: str) -> None:
    ran = shop.run(*arguments)

    assert ran.code == 4
    assert message in ran.err
    assert "Traceback" not in ran.text
    assert not (shop.folder / "baselines").exists()


def test_an_empty_suites_folder_has_nothing_to_run(project: Project) -> None:
    (project.folder / "suites").mkdir()

    ran = project.run()

    assert ran.code == 4
    assert "there are no cases here; `wfrun init` writes a first suite" in ran.err


@pytest.mark.parametrize("option", ["--junit", "--json"])
def test_a_result_file_that_cannot_be_written_in_the_end_is_told_after_the_summary(
    project: Project, option: str
) -> None:
    """The folder goes while the session runs, so that no early look can know."""
    project.write(
        {
            "suites/suite_shop.py": "import shutil\n@suite.case()\ndef takes_the_folder_away():\n"
            "    shutil.rmtree('results')\n    open('results', 'w').close()\n"
        }
    )
    (project.folder / "results").mkdir()

    ran = project.run(option, "results/file")

    assert ran.code == 2
    assert "1 passed" in ran.out
    assert "wfrun: cannot write results/file: " in ran.err
    assert "Traceback" not in ran.text


def test_output_that_nobody_reads_any_more_does_not_change_the_result(shop: Project) -> None:
    read, write = os.pipe()
    os.close(read)
    shop.write({"suites/suite_red.py": "@suite.case()\ndef red(): assert False\n"})

    with shop.start("--junit", "out.xml", stdout=write) as started:
        os.close(write)
        ran = started.end()

    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "<testsuite" in shop.read("out.xml")
