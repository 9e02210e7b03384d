"""The command that makes a failed case fail again."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.authoring.info import Kind
from wfrun.errors import FileError
from wfrun.files import write_atomically
from wfrun.runner.record.session_record import CommandRecord
from wfrun.runner.report.text import plural, shown_path
from wfrun.runner.run.reproduce import Proof, Reproduction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wfrun.runner.plan.planned import PlannedCase

__all__ = ["Commands", "Hint", "recorded"]

MOST_WORDS: Final = 12
"""Cases named in a command; a longer list goes to a file."""
STATE_FOLDER: Final = Path(".wfrun")


@dataclass(frozen=True, slots=True)
class Hint:
    """A command, and what is known of it."""

    about: str
    command: str


@dataclass(frozen=True, slots=True)
class Commands:
    """Writes commands that repeat what this session did with a case, to be run in the same folder."""

    about_running: tuple[str, ...] = ()
    """The options of the session that change how a case runs."""

    def hints(self, found: Reproduction) -> list[Hint]:
        """Return the command to give for a failure, the smallest first where it is not known which one it takes."""
        case, before = found.case, found.before
        alone = self.command([case])
        match found.proof:
            case Proof.RAN_SO:
                return [Hint("to run it again:", alone)]
            case Proof.CAME_BACK if not before:
                return [Hint("to run it again (it failed again alone):", alone)]
            case Proof.CAME_BACK:
                others = plural(len(before), "case")
                about = f"to run it again (it passes alone, and failed again after {others}):"
                return [Hint(about, self.command([*before, case]))]
            case Proof.PASSED_ALONE if before:
                return [Hint("it passes alone; with what ran before it (not tried):", self.command([*before, case]))]
            case Proof.UNTRIED | Proof.PASSED_ALONE:
                hints = [Hint("to run it again alone (not tried):", alone)]
                if before:
                    hints.append(Hint("with what ran before it (not tried):", self.command([*before, case])))
                return hints
            case Proof.STAYED_AWAY:
                about = "it does not fail each time, whatever runs before it; to run it until it fails:"
                return [Hint(about, self.command([*before, case], "--until-failed"))]

    def command(self, cases: Sequence[PlannedCase], *more: str) -> str:
        """Return the command that runs ``cases`` in this order, in one process, with the seeds that they had."""
        last = cases[-1]
        files = list(dict.fromkeys(shown_path(case.info.file) for case in cases))
        # A file whose name begins like an option is still a file.
        words = ["wfrun", *(f"./{file}" if file.startswith("-") else file for file in files)]
        if last.measured:
            words.append("--performance" if Kind.PERFORMANCE in last.info.kinds else "--stress")
        words += self._selection([case.info.id for case in cases])
        # A round with a seed of its own is the first of another session.
        words += ["--seed", str(last.session_seed)]
        if len(files) > 1:
            words += ["--workers", "1"]
        return shlex.join([*words, *more, *self.about_running])

    @staticmethod
    def _selection(case_ids: list[str]) -> list[str]:
        if len(case_ids) > MOST_WORDS:
            content = "".join(f"{case_id}\n" for case_id in case_ids).encode("utf-8", "backslashreplace")
            path = STATE_FOLDER / f"cases-{hashlib.sha256(content).hexdigest()[:12]}.txt"
            try:
                write_atomically(path, content)
            except FileError:  # the folder may be read-only; then the command is long
                pass
            else:
                return ["--case", f"@{path}"]
        return [word for case_id in case_ids for word in ("--case", case_id)]


def recorded(hints: Mapping[tuple[str, int], Sequence[Hint]]) -> dict[tuple[str, int], tuple[CommandRecord, ...]]:
    """Return the commands that make failures come back as they are recorded."""
    return {
        key: tuple(CommandRecord(about=hint.about, command=_utf8(hint.command)) for hint in known)
        for key, known in hints.items()
    }


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
