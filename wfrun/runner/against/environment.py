"""An environment of its own for a side, made by the user's command and kept for as long as what it is made from.

What the command does not install, this program among it, comes from the environment that the session runs in, after
everything that it does install.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.runner.against.side import Side

__all__ = ["environment_key", "prepare_environment"]

FOLDER: Final = Path(".wfrun") / "environments"
LOCKS: Final = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
    "requirements.txt",
    "requirements-dev.txt",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
)
"""What an environment follows from; it is made again when one of them changes."""
_DONE: Final = "wfrun-made"
_SETUP_S: Final = 1800
_LINES: Final = 12


def prepare_environment(side: Side, setup: tuple[str, ...], say: Callable[[str], None]) -> str:
    """Return the interpreter of the side's environment, made now where there is none yet.

    Raises:
        UsageError: The command failed; the text ends with what it printed last.
    """
    folder = side.project / FOLDER / environment_key(side, setup)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if (folder / _DONE).exists():
        return str(python)
    say(f"{side.name}: {' '.join(setup)}")
    shutil.rmtree(folder, ignore_errors=True)
    venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
    environment = {**os.environ, "VIRTUAL_ENV": str(folder), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    words = [str(python.parent / setup[0]) if (python.parent / setup[0]).exists() else setup[0], *setup[1:]]
    try:
        done = subprocess.run(
            words,
            cwd=side.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SETUP_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--setup in {side.name}: {error}") from None
    if done.returncode != 0:
        last = "\n".join(done.stdout.decode(errors="replace").rstrip().splitlines()[-_LINES:])
        raise UsageError(f"--setup in {side.name} ended with exit code {done.returncode}:\n{last}")
    _lead_to_this_environment(folder)
    (folder / _DONE).touch()
    return str(python)


def environment_key(side: Side, setup: tuple[str, ...]) -> str:
    """Return the name of the environment: another one for another command, interpreter, tree or lock file."""
    digest = hashlib.sha256()
    # The tree's own path is in it, because an editable installation writes it down.
    for part in (*setup, sys.version, str(side.root)):
        digest.update(part.encode() + b"\0")
    for name in LOCKS:
        file = side.root / name
        digest.update(file.read_bytes() if file.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _lead_to_this_environment(folder: Path) -> None:
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    own.mkdir(parents=True, exist_ok=True)
    theirs = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (own / "zz-wfrun.pth").write_text("".join(f"{path}\n" for path in theirs), encoding="utf-8")
