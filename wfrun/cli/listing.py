"""What ``wfrun list`` prints: the selected cases by suite, for people or as JSON."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.cells import cell_len
from rich.text import Text

from wfrun.errors import ExitCode
from wfrun.runner.report.console import make_console
from wfrun.runner.report.text import case_name, case_title, one_line, plural, printable, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.plan.planned import Plan

__all__ = ["listing_json", "listing_lines", "print_listing"]

Line: TypeAlias = tuple[tuple[str, str], ...]
"""A line to print: pieces of text, each with its style."""

PAGE_LINES: Final = 100
"""Lines that are printed together: one by one takes several times as long, and all of them memory."""
WIDEST_TITLE: Final = 60
"""Columns that titles are aligned to at most; a longer one pushes its own line only."""


def print_listing(discovery: Discovery, plan: Plan, *, as_json: bool, explained: bool = False) -> ExitCode:
    """Print the planned cases on standard output and what did not load on standard error.

    Returns:
        OK; CASE_FAILED where a suite file did not load, as the list may then be missing its cases; NOTHING where no
        case is selected.
    """
    if as_json:
        print(listing_json(discovery, plan, explained=explained))
    else:
        _print_lines(listing_lines(discovery, plan, explained=explained))
    errors = make_console(sys.stderr)
    for failure in discovery.failures:
        message = f"wfrun: {shown_path(failure.file)} did not load: {one_line(failure.message)}"
        errors.print(Text(f"{message}\n{printable(failure.traceback).rstrip()}"), soft_wrap=True)
    if discovery.failures:
        return ExitCode.CASE_FAILED
    return ExitCode.OK if plan.cases else ExitCode.NOTHING


def listing_json(discovery: Discovery, plan: Plan, *, explained: bool = False) -> str:
    """Return the planned cases as JSON; ``schema_version`` rises when a field changes its meaning or goes.

    With ``explained`` the cases that are left out follow under ``deselected``, each with its ``reason``.
    """
    failures = [asdict(failure) for failure in discovery.failures]
    listing: dict[str, object] = {
        "schema_version": 1,
        "discovered": plan.discovered,
        "cases": [_facts(case.info) for case in plan.cases],
        "load_failures": failures,
    }
    if explained:
        listing["deselected"] = [{**_facts(left_out.info), "reason": left_out.reason} for left_out in plan.deselected]
    # Escaped to ASCII, it can be printed to any stream and keeps what is not valid Unicode.
    return json.dumps(listing, indent=2)


def listing_lines(discovery: Discovery, plan: Plan, *, explained: bool = False) -> Iterable[Line]:
    """Return a heading for each suite, a line for each of its cases, and a count at the end.

    With ``explained`` the cases that are left out come first, each with the reason, so that the list stays in sight.
    """
    if discovery.shipped:
        yield (("There is no ./suites here; these are the suites that come with wfrun.", "dim"),)
    if explained and plan.deselected:
        yield (("Left out", "bold yellow"),)
        yield from _rows([(case_name(each.info), each.reason, one_line(each.info.id)) for each in plan.deselected])
        yield ()
    suites: dict[tuple[str, str], list[CaseInfo]] = {}
    for case in plan.cases:
        suites.setdefault((case.info.suite_title, case.info.file), []).append(case.info)
    for (title, file), infos in suites.items():
        yield ((one_line(title), "bold"), (f"  {shown_path(file)}", "dim"))
        yield from _rows([(case_title(info), ", ".join(info.kinds), one_line(info.id)) for info in infos])
        yield ()
    selected = len(plan.cases)
    counted = plural(selected, "case")
    if selected != plan.discovered:
        counted = f"{selected:,} of {plural(plan.discovered, 'case')}"
    yield ((f"{counted} in {plural(len(suites), 'suite')}", "dim"),)


def _print_lines(lines: Iterable[Line]) -> None:
    console = make_console()
    remaining = iter(lines)
    while page := list(itertools.islice(remaining, PAGE_LINES)):
        if console.is_terminal:
            console.print(Text("\n").join(Text.assemble(*line) for line in page), soft_wrap=True)
        else:
            # Without colours there is nothing to render, which would take most of the time of a long list.
            sys.stdout.write("".join(["".join([text for text, _ in line]) + "\n" for line in page]))


def _facts(info: CaseInfo) -> dict[str, object]:
    return {
        "id": info.id,
        "title": info.title,
        "suite": info.suite_title,
        "kinds": list(info.kinds),
        "tier": info.tier.value,
        "tags": list(info.tags),
        "parameters": info.parameters,
        "file": info.file,
        "line": info.line,
    }


def _rows(cells: Sequence[tuple[str, str, str]]) -> list[Line]:
    """Return titles, what is said of them, and ids, in columns."""
    # Asked of rich where it is not plain only, as it takes ten times as long.
    widths = [len(title) if title.isascii() else cell_len(title) for title, _, _ in cells]
    title_width = min(WIDEST_TITLE, max(widths))
    said_width = min(WIDEST_TITLE, max([len(said) for _, said, _ in cells]))
    return [
        ((f"  {title}{' ' * (title_width - width)}  ", ""), (f"{said:<{said_width}}", "cyan"), (f"  {case_id}", "dim"))
        for (title, said, case_id), width in zip(cells, widths, strict=True)
    ]
