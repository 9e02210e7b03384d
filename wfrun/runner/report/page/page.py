"""A session as one page of HTML that needs nothing but itself: to be kept, sent, and read without a script."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

from wfrun.runner.report.page.cases import cases, failed_cases, fixture_failures, load_failures
from wfrun.runner.report.page.charts import SYMBOLS
from wfrun.runner.report.page.compared import compared
from wfrun.runner.report.page.environment import environment, warnings
from wfrun.runner.report.page.markup import block, text
from wfrun.runner.report.page.measured import measured
from wfrun.runner.report.page.nights import Nights
from wfrun.runner.report.page.script import SCRIPT
from wfrun.runner.report.page.style import STYLE
from wfrun.runner.report.page.summary import head, headline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wfrun.runner.report.story import SessionStory

__all__ = ["session_page"]


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


# The browser may load nothing, and runs this script and no other, whatever a case printed or a title says.
POLICY: Final = (
    f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
)
_SECTIONS: Final = (
    ("load", "did not load"),
    ("fixtures", "tear-downs"),
    ("failed", "what failed"),
    ("compared", "compared"),
    ("measured", "measured"),
    ("cases", "all cases"),
    ("tools", "what tools found"),
    ("warnings", "warnings"),
    ("environment", "environment"),
)


def session_page(story: SessionStory, nights: Nights | None = None) -> str:
    """Return the whole document: what came of it, what failed, the figures, the cases, the machine.

    Args:
        story: The session.
        nights: What is known of its cases from a history.
    """
    body = "\n".join(part for part in _body(story, nights or Nights()) if part)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>wfrun: {text(headline(story).said)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            f'<svg class="defs" aria-hidden="true">{SYMBOLS}</svg>',
            *head(story),
            _navigation(body),
            "<main>",
            body,
            "</main>",
            f"<script>{SCRIPT}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _body(story: SessionStory, nights: Nights) -> Iterator[str]:
    yield from load_failures(story)
    yield from fixture_failures(story)
    yield from failed_cases(story)
    if story.comparison is not None:
        yield from compared(story.comparison, nights)
    else:
        yield from measured(story.record, nights)
    yield from cases(story)
    if story.table:
        yield f'<section id="tools"><h2>What tools found</h2>{block(story.table)}</section>'
    yield from warnings(story.record)
    yield from environment(story.record)


def _navigation(body: str) -> str:
    links = "".join(f'<a href="#{name}">{shown}</a>' for name, shown in _SECTIONS if f'<section id="{name}">' in body)
    return f'<nav aria-label="Sections">{links}</nav>'
