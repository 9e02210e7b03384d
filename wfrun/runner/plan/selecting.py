"""Why a case is left out: each choice of a selection asked in turn."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from wfrun.runner.options import DEFAULT_KINDS
from wfrun.runner.plan.pattern import parse_pattern, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.options import Selection

__all__ = ["Choices"]

NEAREST_TITLES = 3


class Choices:
    """The choices of a selection, its patterns read once.

    What they are asked about may come from a file or from a baseline: only what both know of a case counts.
    """

    def __init__(self, selection: Selection) -> None:
        """Read the patterns.

        Raises:
            PatternError: One cannot be read.
        """
        self._selection = selection
        # A tuple finds a member by its identity; a set would hash it, which for an enumeration is slow.
        self._kinds = tuple(selection.kinds or DEFAULT_KINDS)
        self._patterns = [(text, parse_pattern(text, "--pattern")) for text in selection.patterns]
        self._excludes = [(text, parse_pattern(text, "--exclude")) for text in selection.excludes]
        asked: dict[Callable[[CaseInfo], str], object] = {
            self._by_pattern: selection.patterns,
            self._by_tag: selection.tags,
            self._by_kind: self._kinds,
            self._by_tier: selection.tiers,
            self._by_exclude: selection.excludes,
        }
        # Of ten thousand cases only those questions are asked that have an answer.
        self._questions = tuple(question for question, choice in asked.items() if choice)

    def wants(self, case: CaseInfo) -> bool:
        """Return whether the case is selected."""
        return not self.why_not(case)

    def why_not(self, case: CaseInfo) -> str:
        """Return why the case is left out; empty where it is not."""
        for question in self._questions:
            if reason := question(case):
                return reason
        return ""

    def why_nothing(self, cases: Sequence[CaseInfo]) -> str:
        """Return, of cases that are all left out, which choice left out the last of them and what comes close."""
        if not cases:
            return "there are no cases here; `wfrun init` writes a first suite"
        left = _kept(cases, self._by_pattern)
        if not left:
            return self._no_match(cases)
        by_tag = _kept(left, self._by_tag)
        if not by_tag:
            tags = self._selection.tags
            known = sorted({tag for case in left for tag in case.tags})
            return (
                f"no case has the tag{'s' * (len(tags) > 1)} {', '.join(tags)}; there are {', '.join(known) or 'none'}"
            )
        by_kind = _kept(by_tag, self._by_kind)
        if not by_kind:
            others = sorted({str(kind) for case in by_tag for kind in case.kinds})
            return (
                f"{_would_match(by_tag)}, but of kind {', '.join(others)} "
                f"and not {', '.join(sorted(self._kinds))}; add --{' or --'.join(others)}"
            )
        by_tier = _kept(by_kind, self._by_tier)
        if not by_tier:
            tiers = sorted({case.tier.value for case in by_kind})
            return f"{_would_match(by_kind)}, but of tier {', '.join(tiers)}; add --tier {' --tier '.join(tiers)}"
        excludes = " and ".join(f"--exclude {text!r}" for text in self._selection.excludes)
        return f"{_would_match(by_tier)}, but {excludes} leaves out every one; `wfrun list --why` tells each"

    def _by_pattern(self, case: CaseInfo) -> str:
        plain = _searched(case)
        for text, pattern in self._patterns:
            if not pattern.holds(plain):
                return f"does not match pattern {_quoted(text)}"
        return ""

    def _by_tag(self, case: CaseInfo) -> str:
        missing = [tag for tag in self._selection.tags if tag not in case.tags]
        return f"has no tag {' and no tag '.join(missing)}" if missing else ""

    def _by_kind(self, case: CaseInfo) -> str:
        for kind in case.kinds:
            if kind in self._kinds:
                return ""
        return f"kind {' and '.join(case.kinds)} not asked for"

    def _by_tier(self, case: CaseInfo) -> str:
        tiers = self._selection.tiers
        return f"tier {case.tier.value} not asked for" if tiers and case.tier not in tiers else ""

    def _by_exclude(self, case: CaseInfo) -> str:
        plain = _searched(case)
        for text, pattern in self._excludes:
            if pattern.holds(plain):
                return f"excluded by {_quoted(text)}"
        return ""

    def _no_match(self, cases: Sequence[CaseInfo]) -> str:
        texts = self._selection.patterns
        which = f"the pattern {texts[0]!r}" if len(texts) == 1 else f"all of the patterns {', '.join(map(repr, texts))}"
        # In one set: the suites' titles are the same for many cases.
        titles = {plain_text(title): title for case in cases for title in (case.title, case.suite_title)}
        close = difflib.get_close_matches(plain_text(texts[0]), titles, n=NEAREST_TITLES, cutoff=0.4)
        named = ", ".join(repr(titles[key]) for key in close)
        nearest = f"; the nearest title{'s are' if len(close) > 1 else ' is'} {named}" if close else ""
        return f"no case matches {which}{nearest}; `wfrun list` shows all {len(cases)}"


def _kept(cases: Sequence[CaseInfo], why_not: Callable[[CaseInfo], str]) -> list[CaseInfo]:
    return [case for case in cases if not why_not(case)]


def _would_match(cases: Sequence[CaseInfo]) -> str:
    return f"{len(cases)} case{'s' * (len(cases) > 1)} would match"


def _searched(case: CaseInfo) -> str:
    """Return what patterns are looked for in, a part of the case a line: no phrase reaches over two of them."""
    folder, slash, name = case.id.partition("::")[0].rpartition("/")
    parts = (
        case.id,
        # From the id, as a baseline knows no file; the same path whichever folder the project lies in.
        f"{folder}{slash}suite_{name}.py",
        f"{case.suite_title} · {case.title}",
        *case.tags,
    )
    return "\n".join(map(plain_text, parts))


def _quoted(text: str) -> str:
    return f'"{" ".join(text.split())}"'
