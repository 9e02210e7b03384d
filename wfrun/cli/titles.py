"""Titles and tags of suite files from their syntax trees alone: quick, and without running a line of them."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Words", "scan_suites"]

CASES = frozenset({"case", "benchmark"})


@dataclass(slots=True)
class Words:
    """What cases can be asked for by, each once, in the order found."""

    titles: dict[str, None] = field(default_factory=dict)
    """Of suites and of cases."""
    tags: dict[str, None] = field(default_factory=dict)


def scan_suites(files: Iterable[Path], *, most_s: float) -> Words:
    """Return the titles and tags that are written as plain texts in ``files``.

    What cannot be read or parsed is passed over, and so is what is left after ``most_s``: a shell waits for this.
    """
    due_s = time.monotonic() + most_s
    words = Words()
    for file in files:
        if time.monotonic() > due_s:
            break
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        _take(tree, words)
    return words


def _take(tree: ast.Module, words: Words) -> None:
    for node in _of_module(tree):
        match node:
            case ast.Call(func=ast.Name(id="Suite") | ast.Attribute(attr="Suite")):
                _take_call(node, words)
            case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    if isinstance(decorator, ast.Call) and getattr(decorator.func, "attr", "") in CASES:
                        _take_call(decorator, words, otherwise=node.name.replace("_", " ").capitalize())


def _of_module(tree: ast.Module) -> Iterator[ast.AST]:
    """Return the functions of a module and the values it assigns: suites and cases stand nowhere else."""
    for statement in tree.body:
        yield statement
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            yield statement.value


def _take_call(call: ast.Call, words: Words, otherwise: str = "") -> None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    title = _text(call.args[0] if call.args else named.get("title")) or otherwise
    if title:
        words.titles[title] = None
    tags = named.get("tags")
    if isinstance(tags, ast.List | ast.Tuple):
        words.tags |= {tag: None for part in tags.elts if (tag := _text(part))}


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
