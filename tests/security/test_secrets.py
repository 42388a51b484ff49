"""No secret leaves the program: not in its log, its answers, its database or its command lines."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.app.kit import settings
from tests.cli.test_people import Terminal
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.faults import FaultName
from tests.fakes.zalo import FakeZalo, How
from tests.waiting import until, within

POLLING: tuple[int | FaultName, ...] = (500, 502, "reset-before", 409)
SENDING: tuple[int | FaultName, ...] = (400, 403, 500, 502, "reset-after")
ZALO_SENDING: tuple[int | How, ...] = (400, 403, 410, "page-502", "cut-after", "half")
EXPORTS = (
    "log --export", "ics --unit tu-phap -o", "report --period 2024-Q1 -o", "digest --html",
    "digest --xlsx", "backup",
)  # fmt: skip
RUN = "from reminder.cli import main; main()"
LOOK = """
import sys
from reminder.cli import main
config = sys.argv[1]
for words in ("status", "outbox list", "people", "log", "doctor"):
    sys.argv = ["reminder", *words.split(), "--config", config]
    try:
        main()
    except SystemExit:  # each command's end
        pass
"""


async def command(folder: Path, code: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", code, *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def database(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("r.db*")))


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_the_token_is_nowhere_but_in_its_file(tmp_path: Path) -> None:
    """A daemon that logs all it can, on a Telegram and a Zalo that quote tokens in every fault.

    Each way a request fails, polling and sending; then every byte that was printed or kept, and
    what the commands of the terminal say of it.
    """
    async with FakeTelegram() as telegram, FakeZalo() as zalo:
        token, other = telegram.token, zalo.token
        section = f'[zalo]\ntoken = "{other}"\nbase_url = "{zalo.base_url}"\npoll_seconds = 1\n'
        config = settings(tmp_path, telegram, 1, more=f'{section}[log]\nlevel = "debug"\n')
        words = f"Bad Request: https://api.telegram.org/bot{token}/sendMessage"
        for status in POLLING:
            telegram.fail_next("getUpdates", status, description=words)
        for status in SENDING:
            telegram.fail_next("sendMessage", status, description=words)
        for how in ZALO_SENDING:
            zalo.fail_next("sendMessage", how, f"Bad request: {zalo.base_url}{other}/sendMessage")
        daemon = await command(tmp_path, RUN, "run", "--config", str(config))
        try:
            await telegram.until(lambda: telegram.being_polled)
            for stranger in range(66, 74):
                telegram.user_sends(stranger, f"/start {'x' * 22}")
            await telegram.until(lambda: telegram.sent_to(73) != [])
            for stranger in range(8):
                zalo.says(str(stranger), "xin chào")
            await until(lambda: zalo.sent_to("7") != [])
            zalo.fail_next("getUpdates", 500, f"{zalo.base_url}{other}/getUpdates")
            zalo.says_in_group("7", "xin chào")
            await until(lambda: not zalo._faults)
        finally:
            daemon.send_signal(signal.SIGTERM)
        log, _ = await within(daemon.communicate(), "its end")
        process = await command(tmp_path, LOOK, str(config))
        said, _ = await within(process.communicate(), "its end")
    kept = database(tmp_path)
    assert b"by zalo) was given up" in log
    assert b"was given up" in log.replace(b"by zalo) was", b"")  # the providers' words were logged
    assert said.count(b"\n") > 10
    for place in (log, said, kept):
        assert token.encode() not in place
        assert other.encode() not in place
        assert not re.search(rb"\d{3,}:[A-Za-z0-9_-]{20,}", place)


def test_what_is_exported_is_for_its_owner_and_takes_no_devices_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the umask; a pipe stays the pipe that it was."""
    terminal = Terminal(tmp_path, monkeypatch)
    with terminal.store():
        pass
    previous = os.umask(0)
    try:
        for number, words in enumerate(EXPORTS):
            file = tmp_path / f"export{number}"
            file.touch(0o666)
            terminal.run(*words.split(), str(file))
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            pipe = tmp_path / f"pipe{number}"
            os.mkfifo(pipe)
            assert "không phải tệp" in terminal.refused(*words.split(), str(pipe))
            assert pipe.is_fifo()
    finally:
        os.umask(previous)
