"""Plain ``assert`` whose failure shows the values of its parts.

Theory of operation: while a suite file is compiled, every ``assert test`` becomes ``if not test: raise``, with each
interesting part of ``test`` wrapped in an assignment expression to a name that no source can contain. Nothing is
evaluated twice or in another order; what a passing assertion captured is let go at once, so that it keeps no large
object alive.
"""

from __future__ import annotations

import ast
import itertools
import reprlib
import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

__all__ = ["EXPLAIN_NAME", "UNSET_NAME", "UNSET_VALUE", "explain", "rewrite_asserts"]

EXPLAIN_NAME: Final = "@wfrun_explain"
UNSET_NAME: Final = "@wfrun_unset"
UNSET_VALUE: Final = object()
MOST_LINES: Final = 12

_LOAD: Final = ast.Load()
_STORE: Final = ast.Store()

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 240
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = _repr.maxfrozenset = _repr.maxdeque = 12
_repr.maxlong = 80


def rewrite_asserts(tree: ast.Module, source: str) -> ast.Module:
    """Return ``tree`` with its assertions explaining themselves; the module needs :func:`explain` as `EXPLAIN_NAME`."""
    tree.body = _Rewriter(source).statements(tree.body)
    return tree


def explain(source: str, message: tuple[object, ...], parts: Sequence[tuple[str, Any]], operator: str | None) -> str:
    """Return the text of a failed assertion: the author's message, the source, each part's value, and a difference.

    Args:
        source: The asserted expression as written.
        message: The author's own message, or nothing.
        parts: Source (empty for a literal) and value of each captured part; the two sides of a single comparison
            come last.
        operator: The comparison's operator where the expression is one comparison.
    """
    lines = [*map(str, message), f"assert {source}"]
    seen: set[str] = set()
    for text, value in parts:
        if not text or text in seen or not _worth_showing(value):
            continue
        seen.add(text)
        lines.append(f"  {text} = {_repr.repr(value)}")
    if operator == "==" and len(parts) >= 2:
        lines += [f"  {line}" for line in _difference(parts[-2][1], parts[-1][1])]
    return "\n".join(line for line in lines if line)


def _worth_showing(value: object) -> bool:
    return value is not UNSET_VALUE and not isinstance(
        value, types.FunctionType | types.BuiltinFunctionType | types.MethodType | types.ModuleType | type
    )


def _difference(left: object, right: object) -> list[str]:
    """Say in a few lines where two values that should be equal are not."""
    import difflib  # noqa: PLC0415 - only where something failed

    try:
        if isinstance(left, str) and isinstance(right, str):
            lines = list(difflib.ndiff(right.splitlines(), left.splitlines())) if "\n" in left + right else []
        elif isinstance(left, AbstractSet) and isinstance(right, AbstractSet):
            lines = [
                f"only on the {side}: {_repr.repr(extra)}"
                for side, extra in (("left", left - right), ("right", right - left))
                if extra
            ]
        elif isinstance(left, Mapping) and isinstance(right, Mapping):
            lines = _mapping_difference(left, right)
        elif isinstance(left, Sequence) and isinstance(right, Sequence):
            lines = _sequence_difference(left, right)
        else:
            lines = []
    except Exception:  # noqa: BLE001 - comparing an author's values may raise anything; the failure matters more
        return []
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"]


def _mapping_difference(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> list[str]:
    lines = []
    for key in dict.fromkeys([*left, *right]):
        if key not in right:
            lines.append(f"only on the left: {_repr.repr(key)}")
        elif key not in left:
            lines.append(f"only on the right: {_repr.repr(key)}")
        elif left[key] != right[key]:
            lines.append(f"at {_repr.repr(key)}: {_repr.repr(left[key])} != {_repr.repr(right[key])}")
    return lines


def _sequence_difference(left: Sequence[Any], right: Sequence[Any]) -> list[str]:
    lines = [f"lengths {len(left)} and {len(right)}"] if len(left) != len(right) else []
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return [*lines, f"first difference at index {index}: {_repr.repr(one)} != {_repr.repr(other)}"]
    return lines


class _Source:
    """The text of a file. :func:`ast.get_source_segment` splits all of it anew for every part of it."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")

    def of(self, node: ast.expr) -> str:
        """Return what ``node`` was written as, on one line."""
        if node.end_lineno is None or node.end_col_offset is None:
            return "…"
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        # Columns count bytes. The end first: the first line may also be the last.
        lines[-1] = lines[-1].encode()[: node.end_col_offset].decode()
        lines[0] = lines[0].encode()[node.col_offset :].decode()
        return " ".join(" ".join(lines).split())


class _Rewriter:
    """Turns each assertion into a test that captures its parts."""

    def __init__(self, source: str) -> None:
        self._source = _Source(source)
        self._numbers = itertools.count()

    def statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return ``body`` with every assertion in it rewritten; assertions stand only where statements do."""
        rewritten: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, ast.Assert):
                rewritten += self._assertion(statement)
                continue
            rewritten.append(statement)
            inner = [statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]
            for holder in inner:
                for field in ("body", "orelse", "finalbody"):
                    if isinstance(nested := getattr(holder, field, None), list):
                        setattr(holder, field, self.statements(nested))
        return rewritten

    def _assertion(self, node: ast.Assert) -> list[ast.stmt]:
        capture = _Capture(self._source, self._numbers)
        # `assert (value, "message")` is always true; Python warns of it, so leave it to Python.
        if isinstance(node.test, ast.Tuple):
            return [node]
        operator = None
        if isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            operator = "==" if isinstance(node.test.ops[0], ast.Eq) else None
        test = capture.inside(node.test)
        names = [name for name, _ in capture.parts]
        at = _place(node)
        parts = ast.Tuple(
            [
                ast.Tuple([ast.Constant(part, **at), ast.Name(name, _LOAD, **at)], _LOAD, **at)
                for name, part in _sides_last(capture.parts, capture.sides)
            ],
            _LOAD,
            **at,
        )
        text_of = ast.Call(
            ast.Name(EXPLAIN_NAME, _LOAD, **at),
            [
                ast.Constant(self._source.of(node.test), **at),
                ast.Tuple([node.msg] if node.msg else [], _LOAD, **at),
                parts,
                ast.Constant(operator, **at),
            ],
            [],
            **at,
        )
        failing = ast.Raise(ast.Call(ast.Name("AssertionError", _LOAD, **at), [text_of], [], **at), None, **at)
        statements: list[ast.stmt] = []
        if names and capture.may_skip:
            statements.append(_assign(names, ast.Name(UNSET_NAME, _LOAD, **at), at))
        statements.append(ast.If(ast.UnaryOp(ast.Not(), test, **at), [failing], [], **at))
        if names:
            statements.append(_assign(names, ast.Constant(value=None, **at), at))
        return statements


def _place(node: ast.stmt | ast.expr) -> dict[str, Any]:
    """Return where ``node`` stands, to be given to what takes its place; filling it in afterwards costs far more."""
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


def _assign(names: list[str], value: ast.expr, at: dict[str, Any]) -> ast.Assign:
    return ast.Assign([ast.Name(name, _STORE, **at) for name in names], value, **at)


def _sides_last(parts: list[tuple[str, str]], sides: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [part for part in parts if part not in sides] + sides


class _Capture(ast.NodeTransformer):
    """Wraps the parts of one asserted expression in assignment expressions, and remembers their names and sources."""

    def __init__(self, source: _Source, numbers: itertools.count[int]) -> None:
        self._source = source
        self._numbers = numbers
        self.parts: list[tuple[str, str]] = []
        self.sides: list[tuple[str, str]] = []
        self.may_skip = False

    def inside(self, test: ast.expr) -> ast.expr:
        """Capture the parts of ``test`` but not its own truth value, which is known to be false when it matters."""
        if isinstance(test, ast.Compare):
            single = len(test.ops) == 1
            self.may_skip |= not single
            left, *others = [self._operand(operand, is_side=single) for operand in (test.left, *test.comparators)]
            return ast.copy_location(ast.Compare(left, test.ops, others), test)
        if isinstance(test, ast.BoolOp):
            self.may_skip = True
            return ast.copy_location(ast.BoolOp(test.op, [self.inside(value) for value in test.values]), test)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return ast.copy_location(ast.UnaryOp(test.op, self.inside(test.operand)), test)
        return self._operand(test, is_side=False)

    def _operand(self, node: ast.expr, *, is_side: bool) -> ast.expr:
        wrapped: ast.expr = self.visit(node)
        if is_side:
            # What visiting did not wrap itself, a literal or an author's own walrus, is wrapped here.
            if wrapped is node or not isinstance(wrapped, ast.NamedExpr):
                wrapped = self._wrap(node, wrapped)
            self.sides.append(self.parts[-1])
        return wrapped

    def _wrap(self, original: ast.expr, inner: ast.expr) -> ast.expr:
        name = f"@wfrun_{next(self._numbers)}"
        literal = isinstance(original, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.Set | ast.JoinedStr)
        self.parts.append((name, "" if literal else self._source.of(original)))
        at = _place(original)
        return ast.NamedExpr(ast.Name(name, _STORE, **at), inner, **at)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._wrap(node, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = node.value if isinstance(node.value, ast.Name) else self.visit(node.value)
        return self._wrap(node, ast.copy_location(ast.Attribute(value, node.attr, node.ctx), node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return self._wrap(node, ast.copy_location(ast.Subscript(self.visit(node.value), node.slice, node.ctx), node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Name):
            function = ast.copy_location(
                ast.Attribute(self.visit(function.value), function.attr, function.ctx), function
            )
        plain = [argument if isinstance(argument, ast.Starred) else self.visit(argument) for argument in node.args]
        keywords = [
            ast.copy_location(ast.keyword(keyword.arg, self.visit(keyword.value)), keyword) for keyword in node.keywords
        ]
        return self._wrap(node, ast.copy_location(ast.Call(function, plain, keywords), node))

    def visit_Await(self, node: ast.Await) -> ast.expr:
        return self._wrap(node, node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.may_skip = True
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.may_skip = True
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.may_skip |= len(node.ops) > 1
        return self.generic_visit(node)  # type: ignore[return-value]

    def _opaque(self, node: ast.expr) -> ast.expr:
        """Leave a scope of its own, or a constant, as it is: names inside are not this function's."""
        return node

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _opaque  # noqa: N815
    visit_NamedExpr = visit_JoinedStr = visit_Yield = visit_YieldFrom = _opaque  # noqa: N815
