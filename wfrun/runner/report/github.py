"""What GitHub shows beside the lines of a change: workflow commands on standard output, and a summary of the step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.messages import Status
from wfrun.runner.report.delta_table import regression
from wfrun.runner.report.text import printable, turn_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["GitHub", "annotation_lines"]

MOST_ANNOTATIONS: Final = 50
"""GitHub itself shows ten errors and ten warnings of a step and drops the others."""
MOST_CHARACTERS: Final = 4_000


@dataclass(frozen=True, slots=True)
class GitHub:
    """The step of a GitHub workflow that this session is."""

    repository: Path
    """The folder that paths in annotations are relative to."""
    summary_path: Path | None
    """Where the step's summary in Markdown is appended."""

    @classmethod
    def around(cls, environment: Mapping[str, str], cwd: Path) -> GitHub | None:
        """Return the step around this process; ``None`` elsewhere than in GitHub Actions."""
        if environment.get("GITHUB_ACTIONS") != "true":
            return None
        workspace, summary = environment.get("GITHUB_WORKSPACE"), environment.get("GITHUB_STEP_SUMMARY")
        above = (folder for folder in (cwd, *cwd.parents) if (folder / ".git").exists())
        repository = Path(workspace) if workspace else next(above, cwd)
        return cls(repository, Path(summary) if summary else None)


def annotation_lines(story: SessionStory, repository: Path) -> Iterator[str]:
    """Return a line for each failure, at the line where it happened, and for each flaky case and regression."""
    made = list(_all(story, repository))
    yield from made[:MOST_ANNOTATIONS]
    if len(made) > MOST_ANNOTATIONS:
        yield _command("notice", {"title": "wfrun"}, f"{len(made) - MOST_ANNOTATIONS} more are in the log")


def _all(story: SessionStory, repository: Path) -> Iterator[str]:
    for failure in story.discovery.failures:
        where = _where(failure.file, _line_in(failure.file, failure.traceback), repository)
        yield _command("error", {**where, "title": "suite did not load"}, failure.message)
    for broken in story.result.fixture_failures:
        where = _where(broken.file, _line_in(broken.file, broken.traceback), repository) if broken.file else {}
        yield _command("error", {**where, "title": f"tear-down of {broken.fixture}"}, broken.message)
    for outcome in story.result.failed:
        yield _of(story, outcome, "error", repository)
    for outcome in story.result.flaky:
        yield _of(story, outcome, "warning", repository)
    infos = {case.info.id: case.info for case in story.plan.cases}
    failing = () if story.comparison is None else story.comparison.failing
    spared = () if story.comparison is None else [m for m in story.comparison.regressed if m not in failing]
    for metric in (*failing, *spared):
        info = infos.get(metric.case_id)
        where = {} if info is None else _where(info.file, info.line, repository)
        kind = "error" if metric in failing else "warning"
        yield _command(kind, {**where, "title": f"{metric.verdict.value}: {metric.title}"}, regression(metric))


def _of(story: SessionStory, outcome: Outcome, kind: str, repository: Path) -> str:
    info = outcome.case.info
    shown = outcome.attempts[0] if outcome.flaky else outcome
    line = _line_in(info.file, shown.details) or info.line
    title = turn_name(outcome.case) + ("" if outcome.status is Status.FAILED else f" ({outcome.status.value})")
    message = "\n".join(
        [shown.message or outcome.status.value, *(f"{hint.about} {hint.command}" for hint in story.hints(outcome))]
    )
    return _command(kind, {**_where(info.file, line, repository), "title": title}, message)


def _line_in(file: str, details: str) -> int:
    """Return the line of ``file`` that a traceback leads to; the last is the deepest, and 0 means none."""
    lines = re.findall(rf'File "{re.escape(file)}", line (\d+)', details)
    return int(lines[-1]) if lines else 0


def _where(file: str, line: int, repository: Path) -> dict[str, str]:
    try:
        shown = str(Path(file).resolve().relative_to(repository.resolve()))
    except (ValueError, OSError):
        shown = file
    return {"file": shown, **({"line": str(line)} if line else {})}


def _command(kind: str, properties: Mapping[str, str], message: str) -> str:
    listed = ",".join(f"{name}={_escaped(value, inside=True)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_escaped(message[:MOST_CHARACTERS])}"


def _escaped(text: str, *, inside: bool = False) -> str:
    """Return ``text`` as a workflow command takes it; inside of properties two more characters would end them."""
    text = printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if inside else text
