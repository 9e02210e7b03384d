"""What this interpreter and its settings mean for measuring."""

from __future__ import annotations

import asyncio
import platform
import sys
import sysconfig
from typing import TYPE_CHECKING

from wfrun.runner.doctor.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["interpreter"]

SLOWING = ("PYTHONDEVMODE", "PYTHONTRACEMALLOC", "PYTHONMALLOC", "PYTHONPROFILEIMPORTTIME", "PYTHONDUMPREFS")
"""Variables that make Python slower, each in a way of its own."""


def interpreter(environment: Mapping[str, str]) -> Iterable[Finding]:
    """Yield a finding for the build, the event loop and the hash seed."""
    yield _build()
    yield _settings(environment)
    yield _loop(environment)
    yield _hash_seed(environment)


def _build() -> Finding:
    arguments = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    debug = bool(sysconfig.get_config_var("Py_DEBUG"))
    optimised = "enable-optimizations" in arguments
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    fact = f"{platform.python_implementation()} {platform.python_version()}, {'with' if gil else 'without'} a GIL"
    values = {"debug": debug, "optimised": optimised, "gil": gil, "asserts": __debug__}
    if debug:
        return Finding(
            "python", Level.BAD, f"{fact}, a debug build", "use a release build: it is several times as fast", values
        )
    if not arguments or optimised:
        return Finding("python", Level.GOOD, fact, values=values)
    advice = "it was built without --enable-optimizations: figures are those of a slower Python than users have"
    return Finding("python", Level.BEWARE, fact, advice, values)


def _settings(environment: Mapping[str, str]) -> Finding:
    slowing = [name for name in SLOWING if environment.get(name)]
    values = {"slowing": slowing, "asserts": __debug__, "traced": sys.gettrace() is not None}
    if slowing or sys.gettrace() is not None:
        what = ", ".join(slowing) or "a trace function"
        return Finding(
            "settings", Level.BAD, f"{what} is set", "unset it: what is measured runs slower with it", values
        )
    if not __debug__:
        return Finding("settings", Level.BEWARE, "asserts are off (-O)", "cases check nothing: run without -O", values)
    return Finding("settings", Level.GOOD, "asserts are on, nothing slows Python down", values=values)


def _loop(environment: Mapping[str, str]) -> Finding:
    loop = asyncio.new_event_loop()
    try:
        name = f"{type(loop).__module__.partition('.')[0]} ({type(loop).__name__})"
        debug = loop.get_debug()
    finally:
        loop.close()
    values = {"loop": name, "debug": debug}
    if debug or environment.get("PYTHONASYNCIODEBUG"):
        return Finding("event loop", Level.BAD, f"{name} in debug mode", "unset PYTHONASYNCIODEBUG", values)
    return Finding("event loop", Level.GOOD, name, values=values)


def _hash_seed(environment: Mapping[str, str]) -> Finding:
    seed = environment.get("PYTHONHASHSEED", "")
    if seed in {"", "random"}:
        return Finding("hash seed", Level.GOOD, "each process has its own", values={"seed": None})
    advice = "all processes share one layout of sets and dicts, whose luck is in every figure: unset PYTHONHASHSEED"
    return Finding("hash seed", Level.BEWARE, f"PYTHONHASHSEED={seed}", advice, {"seed": seed})
