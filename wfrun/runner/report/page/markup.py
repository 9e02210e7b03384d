"""Text made fit for a page: escaped, without terminal sequences, folded where there is much of it."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from wfrun.runner.report.text import one_line, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["anchor", "block", "label", "listed", "table", "text"]

LINES_SHOWN: Final = 24
"""Of a longer text the last lines are shown, because that is where it ends badly; the earlier ones are folded."""
MOST_CHARACTERS: Final = 200_000
"""Of one text on a page. The session record has it whole."""
_WORDS: Final = {"rss": "memory", "gc": "GC", "cpu": "CPU", "p999": "p99.9"}
_UNIT: Final = re.compile(r"_(?:ns|bytes|per_s)$")


def text(value: str) -> str:
    """Return ``value`` on one line, with nothing in it that a browser takes for markup."""
    return escape(one_line(value))


def block(value: str) -> str:
    """Return ``value`` line by line as it was printed; empty for an empty text."""
    plain = printable(value).strip("\n").rstrip()
    if not plain:
        return ""
    if len(plain) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        left_out = len(plain) - 2 * half
        plain = f"{plain[:half]}\n… {plural(left_out, 'character')} are only in the session record …\n{plain[-half:]}"
    lines = plain.splitlines()
    earlier = len(lines) - LINES_SHOWN
    if earlier < LINES_SHOWN // 2:
        return f"<pre>{escape(plain)}</pre>"
    return (
        f"<details><summary>{plural(earlier, 'earlier line')}</summary>"
        f"<pre>{escape(_joined(lines[:earlier]))}</pre></details>"
        f"<pre>{escape(_joined(lines[earlier:]))}</pre>"
    )


def anchor(case_id: str) -> str:
    """Return a case's id as the name of a place on the page, without what would have to be quoted."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "." for letter in case_id)


def label(metric: str) -> str:
    """Return what people call a metric: ``peak_rss_bytes`` is ``peak memory``."""
    return " ".join(_WORDS.get(word, word) for word in _UNIT.sub("", metric).split("_"))


def listed(items: Iterable[str], *, shown: int = 12, tone: str = "") -> str:
    """Return sentences as a list, of which those beyond the first ``shown`` are folded; empty for none."""
    found = [f"<li>{text(item)}" for item in items]
    if not found:
        return ""
    name = f' class="{tone}"' if tone else ""
    first, rest = found[:shown], found[shown:]
    folded = f"<details><summary>and {len(rest):,} more</summary><ul{name}>{''.join(rest)}</ul></details>"
    return f"<ul{name}>{''.join(first)}</ul>" + (folded if rest else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a plain table of texts; the first column names its row."""
    headings = "".join(f'<th scope="col">{text(cell)}' for cell in head)
    lines = (
        f'<tr><th scope="row">{text(first)}{"".join(f"<td>{text(cell)}" for cell in rest)}' for first, *rest in rows
    )
    opened = f"<thead><tr>{headings}" if head else ""
    return f'<div class="scroll"><table class="plain">{opened}<tbody>{"".join(lines)}</table></div>'


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines)
