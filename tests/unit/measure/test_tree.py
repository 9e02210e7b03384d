from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from wfrun.measure.tree import tree_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKEN_BYTES = 2**26
PROGRAM = (
    "import subprocess, sys\n"
    "if len(sys.argv) > 1: taken = bytearray(b'x') * 2**26\n"
    "else: subprocess.Popen([sys.executable, __file__, 'child'], stdout=subprocess.PIPE).stdout.readline()\n"
    "print('ready', flush=True)\n"
    "sys.stdin.readline()\n"
)


@pytest.fixture
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose child has taken memory; both are ready."""
    program = tmp_path_factory.mktemp("tree") / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


@pytest.mark.parametrize("exact", [False, True])
def test_what_a_child_holds_counts_for_the_tree(parent: subprocess.Popen[bytes], exact: bool) -> None:
    memory = tree_memory(parent.pid, exact=exact)

    assert memory.total_bytes > memory.largest_bytes > TAKEN_BYTES
    assert memory.largest_pid not in {parent.pid, os.getpid()}


def test_a_process_that_is_gone_holds_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert tree_memory(process.pid).total_bytes == 0
