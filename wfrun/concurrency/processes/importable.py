"""A function by name, so that another process finds the same one; and the main module, there under another name."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from wfrun.concurrency.processes.errors import FunctionNotImportable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FunctionReference", "MainModule", "is_coroutine_function"]

_MAIN_NAMES = ("__main__", "__mp_main__")
_COROUTINE = 0x80  # inspect.CO_COROUTINE; importing inspect would cost a child more than everything here


class FunctionReference(NamedTuple):
    """Where a function is found: its module, its name there, and the module's file if it has one."""

    module: str
    name: str
    file: str | None

    @classmethod
    def of(cls, function: Callable[..., object], *, coroutine_allowed: bool = False) -> FunctionReference:
        """Return the reference to ``function`` after looking it up by name in this process.

        Raises:
            FunctionNotImportable: Another process would not find this function; the text says what to write instead.
        """
        name = getattr(function, "__qualname__", None)
        module_name = getattr(function, "__module__", None)
        if not isinstance(name, str) or not isinstance(module_name, str):
            raise FunctionNotImportable(
                f"{function!r} has no name to find it by; give a function at a module's top level "
                "and put its fixed arguments into the items"
            )
        where = f"{module_name}.{name}"
        if "<lambda>" in name or "<locals>" in name:
            raise FunctionNotImportable(
                f"{where} exists in this process only; define it with def at the top level of its module"
            )
        module = sys.modules.get(module_name)
        if _attribute(module, name) is not function:
            raise FunctionNotImportable(
                f"{where} is not {function!r}: another process would find something else; "
                "give the function itself, not a bound method or a wrapper around it"
            )
        if not coroutine_allowed and is_coroutine_function(function):
            raise FunctionNotImportable(f"{where} is a coroutine function; process workers call plain functions")
        file = getattr(module, "__file__", None)
        if module_name in _MAIN_NAMES and (file is None or not os.path.exists(file)):  # noqa: PTH110 - see _real
            raise FunctionNotImportable(
                f"{where} was typed in, not read from a file, so no other process can import it; put it into a module"
            )
        return cls(module_name, name, None if file is None else _real(file))

    def load(self) -> Any:  # noqa: ANN401 - any callable
        """Return the function here, importing its module: by name if that gives the same file, else by file."""
        if self.module in _MAIN_NAMES:
            return _attribute(sys.modules["__main__"], self.name)
        return _attribute(self._module(), self.name)

    def _module(self) -> ModuleType:
        try:
            module = importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            # Only a missing module of this name means "look for the file"; one that it imports is its own failure.
            if self.file is None or not f"{self.module}.".startswith(f"{error.name}."):
                raise
        else:
            found = getattr(module, "__file__", None)
            if self.file is None or found is None or _real(found) == self.file:
                return module
        spec = importlib.util.spec_from_file_location(self.module, self.file)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"no module {self.module!r}, and {self.file} is not one", name=self.module)
        # Unpickling a class of a.b.c asks for the package a too, even though a.b.c is there.
        parents = self.module.split(".")[:-1]
        for depth in range(1, len(parents) + 1):
            package = ".".join(parents[:depth])
            if package not in sys.modules:
                try:
                    importlib.import_module(package)
                except ModuleNotFoundError:
                    sys.modules[package] = ModuleType(package)
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module
        spec.loader.exec_module(module)
        return module


class MainModule(NamedTuple):
    """The parent's main module: a module name, a file, or neither, as when it was typed in."""

    name: str | None
    file: str | None

    @classmethod
    def here(cls) -> MainModule:
        """Return this process's main module, and let children's objects of its classes be unpickled here."""
        main = sys.modules["__main__"]
        sys.modules.setdefault("__mp_main__", main)
        name = getattr(getattr(main, "__spec__", None), "name", None)
        file = getattr(main, "__file__", None)
        return cls(name, None if file is None else _real(file))

    def load_when_asked(self) -> None:
        """Have this process's ``__main__`` become the parent's at the first look for a name it does not have.

        Most children never need it, and running a program's main module again is the costliest import there is.
        """

        def look(name: str) -> object:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(self._load(), name)

        sys.modules["__main__"].__dict__["__getattr__"] = look

    def _load(self) -> ModuleType:
        import runpy  # noqa: PLC0415 - most children never need it

        main = ModuleType("__mp_main__")
        main.__dict__["__wfrun_loading__"] = True
        sys.modules["__main__"] = sys.modules["__mp_main__"] = main
        # A package's __main__.py runs without a guard, so it is never run again; it defines nothing to find.
        if self.name is not None and self.name != "__main__" and not self.name.endswith(".__main__"):
            main.__dict__.update(runpy.run_module(self.name, run_name="__mp_main__", alter_sys=True))
        elif self.name is None and self.file is not None:
            main.__dict__.update(runpy.run_path(self.file, run_name="__mp_main__"))
        sys.modules["__main__"] = sys.modules["__mp_main__"] = main
        del main.__dict__["__wfrun_loading__"]
        return main

    @staticmethod
    def refuse_while_loading() -> None:
        """Refuse to start children from a main module that is being run again for a child: it would never end.

        Raises:
            FunctionNotImportable: It is; the text says which guard is missing.
        """
        if "__wfrun_loading__" in sys.modules["__main__"].__dict__:
            raise FunctionNotImportable(
                "the main module starts processes when it is imported, and a child imports it; "
                "put that under if __name__ == '__main__':"
            )


def is_coroutine_function(function: object) -> bool:
    """Return whether ``function`` was written with ``async def``."""
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and bool(code.co_flags & _COROUTINE)


def _real(file: str) -> str:
    # Every child imports this module, and pathlib would be a tenth of its start.
    return os.path.realpath(file)


def _attribute(module: object, name: str) -> object:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
