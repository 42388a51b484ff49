"""Mails from outside are parsed in a process of its own, so that a parser dies alone.

That process has limits of time and memory, a low priority, and no secrets of the settings. Only
plain values come back. It is started for the first mail, and ended when a look finds no new one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from reminder.channels.email.bounces import Failure
from reminder.channels.email.classify import Kind, Mail, own_words, read
from reminder.channels.email.quotes import OwnMarks
from reminder.domain.errors import ReminderError

SECONDS = 5  # processor time of one request; a mail of READ_BYTES takes less than one
LONGEST = 60.0  # seconds after which a request is given up: a busy machine, or one without limits
MEMORY = 256 * 1024 * 1024  # bytes of address space; the process begins with about 40 MiB
COMMAND = (sys.executable, "-P", "-m", "reminder.channels.email.reader")
MOST_ANSWER = 4_000_000  # bytes of one answer


class MailReaderError(ReminderError):
    """The process that parses mails can't be started; no mail is at fault."""


class DeadlyMailError(Exception):
    """The process ended on this mail."""


class BrokenMailError(Exception):
    """The mail can't be parsed; the text names the error."""


@dataclass
class MailReader:
    """The process, seen from the daemon. One request at a time."""

    seconds: int = SECONDS
    memory: int = MEMORY
    longest: float = LONGEST
    command: Sequence[str] = COMMAND
    _process: subprocess.Popen[bytes] | None = None

    def read(self, content: bytes) -> Mail:
        """Return what `content` is, without its body, which stays in the process."""
        found = self._ask({"length": len(content)}, content)
        found["kind"] = Kind(found["kind"])
        found["at"] = datetime.fromisoformat(found["at"]) if found["at"] else None
        found["failures"] = tuple(Failure(**one) for one in found["failures"])
        for name in ("recipients", "results", "returned_to"):
            found[name] = tuple(found[name])
        return Mail(**found)

    def own_words(self, ours: OwnMarks) -> tuple[Kind, str]:
        """Return classify.own_words of the mail that was read last."""
        marks = {"addresses": ours.addresses, "name": ours.name, "said": ours.said}
        kind, words = self._ask({"ours": marks})
        return Kind(kind), words

    def stop(self) -> None:
        """End the process; the next request starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, request: Mapping[str, Any], content: bytes = b"") -> Any:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = self._started()
            if self._answer(self._process, b"") is None:
                self.stop()
                raise MailReaderError("the process that parses mails does not start")
        answer = self._answer(self._process, json.dumps(request).encode() + b"\n" + content)
        if answer is None:
            self.stop()
            raise DeadlyMailError
        if "error" in answer:
            raise BrokenMailError(answer["error"])
        return answer["found"]

    def _started(self) -> subprocess.Popen[bytes]:
        kept = {name: said for name, said in os.environ.items() if not name.startswith("REMINDER_")}
        try:
            return subprocess.Popen(  # noqa: S603  our own interpreter and module
                [*self.command, str(self.seconds), str(self.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept,
                start_new_session=True,
            )
        except OSError as error:
            raise MailReaderError(
                f"the process that parses mails does not start: {error}"
            ) from None

    def _answer(self, process: subprocess.Popen[bytes], request: bytes) -> dict[str, Any] | None:
        """Return the answer; None if the process ended, or was ended because it took too long."""
        given, told = process.stdin, process.stdout
        assert given is not None
        assert told is not None
        timer = threading.Timer(self.longest, process.kill)
        timer.start()
        try:
            given.write(request)
            given.flush()
            found: dict[str, Any] = json.loads(told.readline(MOST_ANSWER))
        except (OSError, ValueError):
            return None
        finally:
            timer.cancel()
        return found


def main() -> None:
    """Serve requests until the daemon ends: a line of JSON each, and the bytes of a mail."""
    seconds, memory = map(int, sys.argv[1:])
    _limit_process(memory)
    given, told = sys.stdin.buffer, sys.stdout.buffer
    mail: Mail | None = None
    _tell(told, {"found": "ready"})
    while line := given.readline():
        _limit_request(seconds)
        request = json.loads(line)
        try:
            if "length" in request:
                mail = read(given.read(request["length"]))
                names = (each.name for each in fields(mail) if each.name != "message")
                found: Any = {name: getattr(mail, name) for name in names}
            else:
                assert mail is not None
                found = own_words(mail, OwnMarks(**request["ours"]))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  the mail's fault, not the process's
            _tell(told, {"error": type(error).__name__})
        else:
            _tell(told, {"found": found})


def _tell(told: IO[bytes], answer: Mapping[str, Any]) -> None:
    told.write(json.dumps(answer, default=_plain).encode() + b"\n")
    told.flush()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else asdict(value)


def _limit_process(memory: int) -> None:
    with suppress(AttributeError, OSError):  # Windows has no priorities of this kind
        os.nice(10)
    with suppress(OSError):  # Linux: of all processes this one is to end where memory is short
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(ImportError, ValueError, OSError):  # Windows has no limits, macOS none of memory
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _limit_request(seconds: int) -> None:
    """Allow one more request its processor time; beyond it the system ends the process."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + seconds, hard))


if __name__ == "__main__":
    main()
