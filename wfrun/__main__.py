"""The ``wfrun`` command. ``--version`` is answered before anything else is imported; errors become exit codes here."""
# ruff: noqa: PLC0415 - imports inside functions are the point of this file: --version must not pay for them

from __future__ import annotations

import sys

from wfrun.version import __version__

__all__ = ["main"]


def main() -> int:
    """Run the command line in ``sys.argv`` and return the exit code (:class:`wfrun.errors.ExitCode`).

    An error that wfrun raises on purpose is one message on standard error; any other is a fault of wfrun and keeps
    its traceback. Whoever reads the output may leave early: that is no error and stays quiet.
    """
    arguments = sys.argv[1:]
    try:
        code = _answer_version() if arguments[:1] == ["--version"] else _run(arguments)
        if sys.stdout is not None:  # it is None when the shell closed it: wfrun >&-
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _forget_reader()
    return code


def _answer_version() -> int:
    print(f"wfrun {__version__}")
    return 0


def _run(arguments: list[str]) -> int:
    from wfrun.errors import ExitCode, WfrunError

    try:
        from wfrun.cli.app import run_command_line

        return run_command_line(arguments)
    except WfrunError as error:
        print(f"wfrun: {error}", file=sys.stderr)
        if error.exit_code is ExitCode.INTERNAL:
            print("wfrun: this is a fault of wfrun itself, please report it", file=sys.stderr)
        return error.exit_code
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception:  # noqa: BLE001 - whatever arrives here is our own mistake and must be told apart from the user's
        import traceback

        traceback.print_exc()
        print("wfrun: this is a fault of wfrun itself, please report it with the lines above", file=sys.stderr)
        return ExitCode.INTERNAL


def _forget_reader() -> int:
    # Python flushes standard output once more at its end and would complain there: let that go nowhere.
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141  # what a shell reports of a program that SIGPIPE ended, as it does of the others in the pipe


if __name__ == "__main__":
    sys.exit(main())
