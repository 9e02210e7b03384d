"""From a suite file to a loaded module: its package first, its assertions explained, its helpers importable."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import importlib.machinery
import importlib.util
import marshal
import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from wfrun.authoring.errors import ModuleClash
from wfrun.authoring.explain import EXPLAIN_NAME, UNSET_NAME, UNSET_VALUE, explain, rewrite_asserts
from wfrun.authoring.source_hash import hashes_within, remember_hashes

if TYPE_CHECKING:
    import types

__all__ = ["folder_of", "importable_folder", "load_suite_module"]

REWRITING: Final = 2
"""Goes up when assertions are rewritten, or what is kept is written, in another way: what was kept is not used then."""
_HEAD: Final = struct.Struct("<HQQ")  # the rewriting, the file's time of change, its size


def load_suite_module(file: Path) -> types.ModuleType:
    """Import ``file`` once per process and return its module.

    A file in a package (a folder with ``__init__.py``) is imported as part of it, and may use relative imports. Beside
    a lone file, the modules in its folder can be imported by their names.

    Raises:
        ModuleClash: The folder holds a module of the same name as one already imported from another suite folder.
        Exception: Whatever the file raises.
    """
    name, base = _module_name(file)
    if name in sys.modules:
        return sys.modules[name]
    if str(base) not in sys.path:
        sys.path.insert(0, str(base))
    if "." in name:
        importlib.import_module(name.rpartition(".")[0])
    else:
        _refuse_clash(file)
    loader = _SuiteLoader(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None:
        raise ImportError(f"{file} cannot be imported as a module")
    module = importlib.util.module_from_spec(spec)
    vars(module)[EXPLAIN_NAME] = explain
    vars(module)[UNSET_NAME] = UNSET_VALUE
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def importable_folder(file: Path) -> Path:
    """Return the folder that :func:`load_suite_module` puts on ``sys.path`` for ``file``."""
    return _module_name(file)[1]


def folder_of(file: Path) -> Path:
    """Return the folder of ``file``, the same object for all in it: what is remembered of it is found faster."""
    return _folder(os.path.dirname(file))  # noqa: PTH120 - a Path each time is what this avoids


@functools.cache
def _folder(path: str) -> Path:
    return Path(path)


class _SuiteLoader(importlib.machinery.SourceFileLoader):
    """Compiles with explained assertions, and keeps the byte-code beside that of the plain module."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        stats = os.stat(path)  # noqa: PTH116 - thousands of them: making a Path takes longer than looking
        facts = _HEAD.pack(REWRITING, stats.st_mtime_ns, stats.st_size)
        # With the path, which stands in the code: whoever copies a project may copy this too.
        head = b"".join((importlib.util.MAGIC_NUMBER, facts, os.fsencode(path), b"\0"))
        kept = importlib.util.cache_from_source(path, optimization="wfrun")
        try:
            data = self.get_data(kept)
            if data.startswith(head):
                code, hashes = marshal.loads(memoryview(data)[len(head) :])  # noqa: S302 - what Python itself does
                remember_hashes(path, hashes)
                return cast("types.CodeType", code)
        except (OSError, ValueError, EOFError, TypeError):
            pass  # None yet, or a damaged one: it is made anew.
        source = importlib.util.decode_source(self.get_data(path))
        tree = rewrite_asserts(ast.parse(source, path), source)
        code = compile(tree, path, "exec", dont_inherit=True)
        if not sys.dont_write_bytecode:
            # Written to a file of another name first, then moved; where the folder cannot be written, nothing happens.
            self.set_data(kept, head + marshal.dumps((code, hashes_within(code))))
        return code


def _module_name(file: Path) -> tuple[str, Path]:
    """Return the module's full name, and the folder that must be importable for it."""
    package, folder = _package(folder_of(file))
    if package:
        return f"{package}.{file.stem}", folder
    # Lone files of one name may lie in many folders; their modules must not replace one another.
    return f"{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}", folder


@functools.cache
def _package(folder: Path) -> tuple[str, Path]:
    """Return the full name of the package that a folder is, empty where it is none, and the folder it is found in."""
    parts: list[str] = []
    while (folder / "__init__.py").exists():
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts)), folder


def _refuse_clash(file: Path) -> None:
    for helper in _helpers(folder_of(file)):
        loaded = sys.modules.get(helper.stem)
        origin = getattr(loaded, "__file__", None)
        if origin is not None and Path(origin) != helper:
            raise ModuleClash(
                f"{helper} cannot be imported beside {file.name}: {helper.stem!r} is already {origin}; "
                f"put an __init__.py into {file.parent} and use relative imports, or rename the helper"
            )


@functools.cache
def _helpers(folder: Path) -> tuple[Path, ...]:
    names = os.listdir(folder)  # noqa: PTH208 - thousands of them where there are thousands of suites
    return tuple(folder / name for name in names if name.endswith(".py") and not name.startswith("suite_"))
