"""The program at a terminal: a pseudo-terminal that a test reads and types at."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.conftest import ROOT
from tests.waiting import LONGEST

# The terminal becomes the one that getpass opens, and whose Ctrl-C arrives: also where the tests
# themselves run in the background of a shell, which has that signal ignored.
_MAIN = """
import fcntl, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from reminder.cli import main
main()
"""
_AGAIN = 10.0  # seconds until Ctrl-C is pressed again
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r|\x07")


class AtTerminal:
    """`reminder` with these arguments, in `folder`."""

    def __init__(
        self, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self._read = b""
        self.seen = ""  # all that was shown, without controls
        self._upto = 0  # how much of it was expected
        self._process = subprocess.Popen(
            [sys.executable, "-c", _MAIN, *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_PROXY": "*",
                 "LANG": "C.UTF-8", **(environ or {})},
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def expect(self, text: str) -> str:
        """Wait until `text` is shown; what was shown since the last time, up to its end."""
        while (place := self.seen.find(text, self._upto)) < 0:
            assert self._more(), f"no “{text}” in:\n{self.seen[self._upto :]}"
        end = place + len(text)
        shown, self._upto = self.seen[self._upto : end], end
        return shown

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._ours, f"{line}\n".encode())

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def interrupt(self) -> None:
        """Press Ctrl-C until something is shown.

        A signal between readline's prompt and its `select` is seen with the next one only. The next
        one comes late: on a busy machine it would break into what the first one has said.
        """
        for _ in range(int(LONGEST / _AGAIN)):
            shown = self.seen
            self.press(b"\x03")
            while select.select([self._ours], [], [], _AGAIN)[0]:
                if not self._more() or self.seen != shown:
                    return
        raise AssertionError(f"nothing comes of Ctrl-C:\n{self.seen[self._upto :]}")

    def answer(self, question: str, line: str) -> None:
        """Wait for the question, then answer it."""
        self.expect(question)
        self.type(line)

    def end(self) -> tuple[int, str]:
        """Wait for its end; the exit code, and what was shown since the last `expect`."""
        while self._more():
            pass
        return self._process.wait(timeout=LONGEST), self.seen[self._upto :]

    def _more(self) -> bool:
        """Wait for more to be shown; False at the end."""
        ready, _, _ = select.select([self._ours], [], [], LONGEST)
        assert ready, f"nothing more is shown:\n{self.seen[self._upto :]}"
        try:
            piece = os.read(self._ours, 65536)
        except OSError:  # Linux: the other side is closed
            return False
        self._read += piece
        self.seen = _CONTROLS.sub("", self._read.decode("utf-8", "ignore"))
        return bool(piece)
