"""kill -9 between reading a reply and recording it, and just after: neither lost nor done twice."""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminder.store.store import Store, open_store
from tests.channels.email import replies
from tests.channels.email.conftest import INBOX, MailWorld, text_in
from tests.channels.email.test_course import AN, SAID, settings
from tests.conftest import ROOT
from tests.services.world import at
from tests.waiting import LONGEST


@contextmanager
def started(module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process; it never outlives the test."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(timeout=LONGEST) == 0


def until(
    holds: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = LONGEST
) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert process.poll() is None
        assert time.monotonic() < end, inspect.getsource(holds)
        time.sleep(0.1)


@pytest.mark.thorough
def test_a_reply_is_neither_lost_nor_done_twice(tmp_path: Path, post: MailWorld) -> None:
    """Killed on either side of the record: one event, one confirmation."""
    config = settings(tmp_path, post)
    shift = str((at("24/01", "08:00") - datetime.now(UTC)).total_seconds())
    with started("tests.daemon_process", str(config), shift) as process:
        until(lambda: len(post.mails(AN)) == 1, process)
        ended(process)

    (nudge,) = post.mails(AN)
    reply = replies.gmail(nudge, SAID, AN)
    post.hand_in(reply, str(reply["To"]))
    for when in ("before", "after"):
        with started("tests.channels.email.gap_process", str(config), shift, when) as process:
            assert process.wait(timeout=60) == -9
        assert len(post.mails(INBOX)) == 1

    with started("tests.daemon_process", str(config), shift) as process:
        until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1 and len(post.mails(AN)) == 2, process)
        ended(process)
    assert "Đã ghi 1c" in text_in(post.mails(AN)[1])
    store: Store = open_store(f"sqlite:///{(tmp_path / 'r.db').as_posix()}", exclusive=False,
                              sleep=lambda _: None)  # fmt: skip
    assert [r.event.kind.value for r in store.events()] == ["done"]
    store.close()
