"""``python -m bench [NAME…]``: measure every bar of every bench module, or of the named ones; exit 1 on a miss."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.harness import Bar

PEERS = ("anyio", "uvloop", "numpy", "psutil")


def main(names: list[str]) -> int:
    """Print one table for each bench module; return 1 when a bar is missed, 2 when a name is not a bench module's."""
    known = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    benches = [name for name in known if not name.startswith("_") and name != "harness"]
    unknown = sorted(set(names) - set(benches))
    if unknown:
        print(f"no bench named {', '.join(unknown)}; there are {', '.join(benches)}", file=sys.stderr)
        return 2
    print(versions())
    missed = 0
    for name in names or benches:
        module = importlib.import_module(f"bench.{name}")
        bars = cast("Callable[[], list[Bar]]", module.bars)()
        print_table(name, bars)
        missed += sum(not bar.met for bar in bars)
    print(f"\n{missed} missed" if missed else "\nevery bar is met")
    return 1 if missed else 0


def versions() -> str:
    """Return one line with the versions of the interpreter and the peers that are installed."""
    found = [f"{platform.python_implementation()} {platform.python_version()}", platform.machine()]
    for peer in PEERS:
        try:
            found.append(f"{peer} {importlib.metadata.version(peer)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"no {peer}")
    return ", ".join(found)


def print_table(name: str, bars: list[Bar]) -> None:
    """Print the bars of one bench module: what was measured, what is required, and whether it is met."""
    width = max((len(bar.name) for bar in bars), default=0)
    print(f"\n{name}")
    for bar in bars:
        verdict = "    " if bar.required is None else "ok  " if bar.met else "MISS"
        required = " " * 9 if bar.required is None else f"{bar.better} {bar.required:<6g}"
        print(
            f"  {verdict}  {bar.name:<{width}}  {bar.ratio:8.2f}  {required} {bar.details}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
