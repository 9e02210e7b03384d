"""The program that starts the commands which are measured: small, so that little of it is counted as theirs.

The kernel keeps the most memory that a process ever held across the moment at which it becomes another program. A child
of the session itself would so begin with tens of megabytes. This program, run without its site and with nothing but
what it needs, holds some nine.

It reads one request a line, as JSON, and answers each with one line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Answer requests until there are no more, or until the command is to be ended with this program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the session alone
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = run(request)
        except OSError as error:
            answer = {"problem": error.strerror or str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Run one command to its end; what it prints goes to the file of the request."""
    # What keeps it from starting is told through a pipe that closes by itself when it starts.
    read, write = os.pipe()
    started_ns = time.perf_counter_ns()
    pid = os.fork()
    if pid == 0:
        _become(request, write)
    os.close(write)
    problem = os.read(read, 4096)
    os.close(read)
    _, status, usage = os.wait4(pid, 0)
    wall_ns = time.perf_counter_ns() - started_ns
    if problem:
        return {"problem": problem.decode(errors="replace")}
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "wall_time_ns": wall_ns,
        "cpu_time_ns": (usage.ru_utime + usage.ru_stime) * 1e9,
        "peak_rss_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }


def _become(request: dict[str, Any], write: int) -> None:
    """Turn into the command; never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(request["folder"])
        words = request["words"]
        os.execvpe(words[0], words, request["environment"])  # noqa: S606 - the user's own command
    except OSError as error:
        os.write(write, (error.strerror or str(error)).encode())
    finally:
        os._exit(127)


if __name__ == "__main__":
    main()
