"""What ``wfrun list`` prints: the selected cases by suite, for people or as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from wfrun.errors import ExitCode
from wfrun.runner.report.console import make_console
from wfrun.runner.report.text import case_title, one_line, plural, printable, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.plan.planned import Plan

__all__ = ["listing_json", "listing_lines", "print_listing"]

WIDEST_TITLE: Final = 60
"""Columns that titles are aligned to at most; a longer one pushes its own line only."""


def print_listing(discovery: Discovery, plan: Plan, *, as_json: bool) -> ExitCode:
    """Print the planned cases on standard output and what did not load on standard error.

    Returns:
        OK, or CASE_FAILED where a suite file did not load: the list may then be missing its cases.
    """
    if as_json:
        print(listing_json(discovery, plan))
    else:
        console = make_console()
        for line in listing_lines(discovery, plan):
            console.print(line, soft_wrap=True)
    errors = make_console(sys.stderr)
    for failure in discovery.failures:
        message = f"wfrun: {shown_path(failure.file)} did not load: {one_line(failure.message)}"
        errors.print(Text(f"{message}\n{printable(failure.traceback).rstrip()}"), soft_wrap=True)
    return ExitCode.CASE_FAILED if discovery.failures else ExitCode.OK


def listing_json(discovery: Discovery, plan: Plan) -> str:
    """Return the planned cases as JSON; ``schema_version`` rises when a field changes its meaning or goes."""
    cases = [
        {
            "id": case.info.id,
            "title": case.info.title,
            "suite": case.info.suite_title,
            "kinds": list(case.info.kinds),
            "tags": list(case.info.tags),
            "parameters": case.info.parameters,
            "file": case.info.file,
            "line": case.info.line,
        }
        for case in plan.cases
    ]
    failures = [asdict(failure) for failure in discovery.failures]
    listing = {
        "schema_version": 1,
        "discovered": plan.discovered,
        "cases": cases,
        "load_failures": failures,
    }
    # Escaped to ASCII, it can be printed to any stream and keeps what is not valid Unicode.
    return json.dumps(listing, indent=2)


def listing_lines(discovery: Discovery, plan: Plan) -> Iterable[Text]:
    """Return a heading for each suite, a line for each of its cases, and a count at the end."""
    suites: dict[tuple[str, str], list[CaseInfo]] = {}
    for case in plan.cases:
        suites.setdefault((case.info.suite_title, case.info.file), []).append(case.info)
    if discovery.shipped:
        yield Text("There is no ./suites here; these are the suites that come with wfrun.", "dim")
    for (title, file), infos in suites.items():
        yield Text.assemble((one_line(title), "bold"), (f"  {shown_path(file)}", "dim"))
        yield from _case_lines(infos)
        yield Text()
    selected = len(plan.cases)
    counted = plural(selected, "case")
    if selected != plan.discovered:
        counted = f"{selected:,} of {plural(plan.discovered, 'case')}"
    yield Text(f"{counted} in {plural(len(suites), 'suite')}", "dim")


def _case_lines(infos: Sequence[CaseInfo]) -> Iterable[Text]:
    rows = [(case_title(info), ", ".join(info.kinds), one_line(info.id)) for info in infos]
    title_width = min(WIDEST_TITLE, max(cell_len(title) for title, _, _ in rows))
    kinds_width = max(len(kinds) for _, kinds, _ in rows)
    for title, kinds, case_id in rows:
        padding = " " * max(0, title_width - cell_len(title))
        yield Text.assemble(f"  {title}{padding}  ", (f"{kinds:<{kinds_width}}", "cyan"), (f"  {case_id}", "dim"))
