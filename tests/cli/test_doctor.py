"""`reminder doctor`: each fault is one sentence with what to do; a sound office has none."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx
import pytest
from typer.testing import CliRunner

from reminder.app import bootstrap
from reminder.cli import app
from reminder.doctor import Check, Verdict, local, network
from reminder.files.settings import Secret, TelegramSection, WebSection, ZaloSection
from reminder.store.records import BACKED_UP, BACKED_UP_AWAY
from reminder.store.store import Store, open_store
from tests.cli.test_people import NOW, Terminal
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.fakes.zalo import FakeZalo
from tests.store.samples import UNITS, event

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the trials chmod")
MAIL = '[email]\nhost = "127.0.0.1"\nport = 9\nsender = "nhac@xa.example"\n'


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def looked(terminal: Terminal) -> tuple[int, dict[str, Any]]:
    """The exit code, and the findings by name."""
    call = ["doctor", "--local", "--json", "--config", str(terminal.config)]
    result = CliRunner().invoke(app, call)
    assert not isinstance(result.exception, Exception), result.exception
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, {one["name"]: one for one in found}


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in found.items()}


def sound(store: Store) -> None:
    """The marks of a daemon that has just ticked and copied."""
    for name in ("last_tick", BACKED_UP, BACKED_UP_AWAY):
        store.set_meta(name, NOW.isoformat())


def test_copies_of_a_lost_database_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of them, with the command that puts it back."""
    terminal = Terminal(tmp_path, monkeypatch, MAIL)
    folder = tmp_path / "backups"
    folder.mkdir()
    name = Path(terminal.url).stem
    for day in ("2024-01-21", "2024-01-22"):
        (folder / f"{name}-{day}.db").touch()
    with closing(open_store(terminal.url, exclusive=False, sleep=bootstrap.pause)):
        _, found = looked(terminal)
    newest = folder / f"{name}-2024-01-22.db"
    assert (found["backup"]["verdict"], found["backup"]["remedy"]) == (
        "fault",
        f"dữ liệu cũ bị mất thì dừng máy rồi: reminder restore {newest}",
    )


class Usage(NamedTuple):
    """shutil's answer."""

    total: int
    used: int
    free: int


def test_a_sound_office_has_nothing_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is ok but what this made-up office lacks: units without people, a second disk."""
    terminal = Terminal(tmp_path, monkeypatch, MAIL)
    with closing(open_store(terminal.url, exclusive=True, sleep=bootstrap.pause)) as daemon:
        sound(daemon)
        code, found = looked(terminal)
    assert code == 0
    assert verdicts(found) == {
        "settings": "ok", "plan": "ok", "calendar": "ok", "database": "ok", "daemon": "ok",
        "people": "warn", "backup": "ok", "second-backup": "warn", "disk": "ok", "rights": "ok",
    }  # fmt: skip
    assert all(bool(one["remedy"]) == (one["verdict"] != "ok") for one in found.values())
    text = CliRunner().invoke(app, ["doctor", "--local", "--config", str(terminal.config)]).stdout
    assert "✓ Kế hoạch cchc-2024: " in text
    assert "! Chưa có bản sao ở ổ đĩa khác: ổ này hỏng thì mất cả dữ liệu lẫn bản sao." in text
    assert "    → đặt [backup] second_folder" in text


def test_before_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No database yet is no fault, and none is made."""
    terminal = Terminal(tmp_path, monkeypatch, started=False)
    code, found = looked(terminal)
    assert (code, found["database"]["verdict"], found["channels"]["verdict"]) == (0, "warn", "warn")
    assert not (tmp_path / "reminder.db").exists()


def test_a_database_that_is_no_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a pipe, which would wait for its writer, nor a folder is opened."""
    terminal = Terminal(tmp_path, monkeypatch, started=False)
    os.mkfifo(tmp_path / "reminder.db")
    code, found = looked(terminal)
    assert (code, found["database"]["sentence"]) == (
        1, f"{tmp_path / 'reminder.db'} không phải tệp: xem lại [store] url.",
    )  # fmt: skip


def test_a_missing_file_of_people_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first start as well as after it; nobody is no ✓."""
    terminal = Terminal(tmp_path, monkeypatch)
    people = tmp_path / "people.toml"
    people.unlink()
    for started in (False, True):
        if started:
            open_store(terminal.url, exclusive=True, sleep=bootstrap.pause).close()
        code, found = looked(terminal)
        assert (code, "people" in found) == (1, False)
        assert found["people-file"]["sentence"] == f"Không có danh sách người: đã tìm {people}."
    people.write_text("", "utf-8")
    code, found = looked(terminal)
    assert (code, found["people-file"]["verdict"], "people" in found) == (0, "warn", False)


def test_a_plan_that_is_over_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside this year's plan the one of 2024 has no line, and nobody is missed for it."""
    terminal = Terminal(tmp_path, monkeypatch)
    old = (ROOT / "data/plan2024.toml").read_text("utf-8")
    new = old.replace("2025-", "2027-").replace("2024", "2026").replace("02-29", "02-28")
    (tmp_path / "plan2024.toml").write_text(old, "utf-8")
    (tmp_path / "plan2026.toml").write_text(new, "utf-8")
    terminal.config.write_text(
        f'[plan]\nfiles = ["plan2024.toml", "plan2026.toml"]\n[store]\nurl = "{terminal.url}"\n',
        "utf-8",
    )
    terminal.at(datetime(2026, 3, 10, 2, tzinfo=UTC))
    _, found = looked(terminal)
    assert "2024" not in json.dumps(found, ensure_ascii=False)
    assert found["plan"]["sentence"].startswith("Kế hoạch cchc-2026: ")


NEED_SETTINGS = (
    "run", "reload", "people", "invite an", "unbind an", "revive an", "done 1c --by an", "log",
    "log --verify", "doctor", "status", "digest", "backup x.db", "restore x.db",
    "ics --unit tu-phap -o x.ics", "report -o x.docx", "outbox list", "outbox retry 1",
)  # fmt: skip


@pytest.mark.parametrize("command", NEED_SETTINGS)
def test_in_a_wrong_folder_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Without settings each command says where it has looked, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REMINDER_CONFIG", raising=False)
    monkeypatch.setenv("REMINDER_WATCH__LISTEN", "127.0.0.1:9464")  # of the container's image
    result = CliRunner().invoke(app, command.split())
    told = str(result.exception) if command != "doctor" else result.stdout.removeprefix("✗ ")
    wanted = tmp_path / "config/reminder.toml"
    assert result.exit_code == 1
    assert told.startswith(f"không thấy tệp cài đặt: đã tìm {wanted}. Đứng ở thư mục của máy ")
    assert list(tmp_path.iterdir()) == []


def test_the_environment_alone_is_a_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container or one command of the operator has it: no file is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REMINDER_STORE__URL", f"sqlite:///{tmp_path}/r.db")
    result = CliRunner().invoke(app, ["doctor", "--local"])
    assert "✓ Cài đặt: không có tệp, chỉ có biến môi trường." in result.stdout


@pytest.mark.parametrize(
    "command", ["plan check", "plan show", "version", "understand xong",
                "simulate --from 2024-01-29 --to 2024-01-29"],
)  # fmt: skip
def test_what_needs_no_settings_runs_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, command.split()).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def bad_settings(terminal: Terminal) -> None:
    terminal.config.write_text("[log]\nlevel = 'loud'\n", "utf-8")


def bad_people(terminal: Terminal) -> None:
    (terminal.folder / "people.toml").write_text('[[person]]\nid = "x"\n', "utf-8")


def damaged(terminal: Terminal) -> None:
    file = terminal.folder / "reminder.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def tampered(terminal: Terminal) -> None:
    with closing(sqlite3.connect(terminal.folder / "reminder.db")) as raw, raw:
        raw.execute("UPDATE event SET person = 'somebody'")


def newer(terminal: Terminal) -> None:
    with closing(sqlite3.connect(terminal.folder / "reminder.db")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")


def readable(terminal: Terminal) -> None:
    copies = terminal.folder / "backups"
    copies.mkdir()
    (copies / "reminder-2024-01-30.db").touch(0o644)


def refusing(terminal: Terminal) -> None:
    with terminal.store() as store:
        store.set_meta("down:email", NOW.isoformat())


def not_copied(terminal: Terminal) -> None:
    with terminal.store() as store:
        store.set_meta(BACKED_UP, (NOW - timedelta(days=8)).isoformat())


def unplugged(terminal: Terminal) -> None:
    with terminal.config.open("a", encoding="utf-8") as file:
        file.write('[backup]\nsecond_folder = "usb"\n')


@pytest.mark.parametrize(
    ("spoil", "name", "words"),
    [
        (bad_settings, "settings", "`level` phải là"),
        (bad_people, "plan", "people.toml:1"),
        (damaged, "database", "hỏng"),
        (tampered, "database", "Sổ ghi đã bị sửa ngoài chương trình, từ ghi nhận số 1 (changed)."),
        (newer, "database", "của bản chương trình mới hơn bản này."),
        (readable, "rights", "Người khác trên máy đọc được: "),
        (refusing, "email-down", "Kênh email từ chối mọi tin từ 09:00 30/01/2024."),
        (not_copied, "backup", "09:00 22/01/2024, đã quá 7 ngày."),
        (unplugged, "second-backup", "usb không có."),
    ],
)
def test_each_fault_is_a_sentence_and_a_remedy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Terminal], None],
    name: str,
    words: str,
) -> None:
    """Exit code 1; every other look goes on."""
    terminal = Terminal(tmp_path, monkeypatch, MAIL)
    with terminal.store() as store:
        store.record([event()], unit_names=UNITS, at=NOW)
        sound(store)
    spoil(terminal)
    code, found = looked(terminal)
    faults = [one for one in found.values() if one["verdict"] == "fault"]
    assert (code, [one["name"] for one in faults]) == (1, [name])
    assert words in faults[0]["sentence"]
    assert faults[0]["remedy"]


@contextmanager
def nobody() -> Iterator[None]:
    """The rights of a user who owns nothing, for root, who else may do everything."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (0o000, "Người dùng đang gõ lệnh không vào được thư mục của {file}."),
        (0o555, "Người dùng đang gõ lệnh không đọc, ghi được {file}."),
    ],
    ids=["folder shut", "file of another"],
)
def test_anothers_data_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, mode: int, words: str
) -> None:
    """A command typed by root leaves files that the daemon's user may not write: no traceback."""
    with TemporaryDirectory() as name:  # pytest's own folders are shut to other users
        folder = Path(name)
        folder.chmod(0o755)
        terminal = Terminal(folder, monkeypatch, MAIL)
        var = folder / "var"
        file = var / "reminder.db"
        terminal.url = f"sqlite:///{file}"
        monkeypatch.setenv("REMINDER_STORE__URL", terminal.url)
        with terminal.store() as store:
            sound(store)
        looked(terminal)  # what a look imports is read with root's rights
        file.chmod(0o444)
        var.chmod(mode)
        try:
            with nobody():
                code, found = looked(terminal)
        finally:
            var.chmod(0o700)
    assert (code, found["database"]["verdict"]) == (1, "fault")
    assert found["database"]["sentence"] == words.format(file=file)
    assert found["database"]["remedy"].startswith("gõ lệnh bằng người dùng của máy nhắc việc")


def test_beyond_this_machine_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail server, a watch and a daemon's page that are not there: each told, no secret shown."""
    secret = "https://127.0.0.1:9/ping/very-secret"
    more = f'[watch]\nheartbeat_url = "{secret}"\nlisten = "127.0.0.1:9"\n'
    terminal = Terminal(tmp_path, monkeypatch, MAIL + more)
    call = ["doctor", "--config", str(terminal.config)]
    result = CliRunner().invoke(app, call)
    told = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert told[-5:-1] == [
        "✗ Không tới được nơi nhận nhịp tim (127.0.0.1): không kết nối được.",
        "! Không so được giờ với máy chủ nào.",
        "! http://127.0.0.1:9/healthz không trả lời.",
        "✗ [email] máy chủ thư 127.0.0.1:9 không mở cổng ấy",
    ]
    assert result.exit_code == 1
    assert "very-secret" not in result.stdout
    assert CliRunner().invoke(app, [*call, "--local"]).exit_code == 0


def test_a_daemon_that_runs_and_does_not_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault; one that does not run at all is a warning: somebody may have stopped it."""
    terminal = Terminal(tmp_path, monkeypatch, MAIL)
    with closing(open_store(terminal.url, exclusive=True, sleep=bootstrap.pause)) as daemon:
        sound(daemon)
        daemon.set_meta("last_tick", (NOW - timedelta(minutes=6)).isoformat())
        _, found = looked(terminal)
        assert found["daemon"]["verdict"] == "fault"
        assert "chạy mà không quét (quét lần cuối 08:54 30/01/2024)" in found["daemon"]["sentence"]
    _, found = looked(terminal)
    assert found["daemon"]["verdict"] == "warn"


@pytest.mark.parametrize(
    ("free", "verdict"), [(49_000_000, "fault"), (51_000_000, "warn"), (501_000_000, "ok")]
)
def test_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    """One line a disk, however many folders lie on it."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - free, free))
    found = list(local.space([tmp_path, tmp_path / "backups", tmp_path / "not" / "yet"]))
    assert [one.verdict for one in found] == [verdict]


def test_a_secret_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings with a password in them, and the file that the environment names."""
    more = 'username = "nhac"\npassword = "rất kín"\n'
    terminal = Terminal(tmp_path, monkeypatch, MAIL + more)
    token = tmp_path / "token"
    token.write_text("123456:" + "x" * 30)
    monkeypatch.setenv("REMINDER_TELEGRAM__TOKEN_FILE", str(token))
    monkeypatch.setenv("REMINDER_TELEGRAM__BASE_URL", "http://127.0.0.1:9/bot")
    for file in (token, terminal.config):
        file.chmod(0o640)
    _, found = looked(terminal)
    assert found["secrets"]["verdict"] == "warn"
    assert found["secrets"]["remedy"] == f"chmod 600 {terminal.config} {token}"
    for file in (token, terminal.config):
        file.chmod(0o600)
    _, found = looked(terminal)
    assert "secrets" not in found


@pytest.mark.asyncio
async def test_the_token_before_telegram_itself() -> None:
    """Taken with the bot's name; a wrong one, and a line that is cut, are told without it."""
    async with FakeTelegram() as telegram:

        def ask(token: str) -> Check:
            with httpx.Client(trust_env=False) as client:
                return network.telegram(telegram.base_url, token, client)[0]

        good = await asyncio.to_thread(ask, telegram.token)
        bad = await asyncio.to_thread(ask, "123456:" + "x" * 30)
        telegram.go_offline()
        cut = await asyncio.to_thread(ask, telegram.token)
    assert (good.verdict, bad.verdict, cut.verdict) == ("ok", "fault", "fault")
    assert bad.sentence == "Telegram không nhận mã bot."
    assert cut.sentence.startswith("Không tới được Telegram (127.0.0.1): ")
    assert not any("xxx" in c.sentence or telegram.token in c.sentence for c in (good, bad, cut))


@pytest.mark.asyncio
async def test_telegrams_webhook_before_telegram_itself() -> None:
    """Who gets what people write, and whether it arrives; nothing is said of polling."""
    url = "https://nhac.example.vn/tin"
    async with FakeTelegram() as server:

        def ask(**more: Any) -> list[tuple[str, str]]:
            section = TelegramSection(token=Secret(server.token), base_url=server.base_url)
            with httpx.Client(trust_env=False) as client:
                checks = network.telegram_webhook(replace(section, **more), client)
                return [(check.verdict.value, check.sentence) for check in checks]

        assert await asyncio.to_thread(ask) == []
        assert await asyncio.to_thread(ask, webhook_url=url) == [
            ("warn", "Webhook trong [telegram] webhook_url chưa được đặt ở Telegram.")
        ]
        server.webhook.url = url
        assert await asyncio.to_thread(ask, webhook_url=url) == [
            ("ok", "Tin đến: trang theo dõi nhận tin Telegram chuyển tới.")
        ]
        assert await asyncio.to_thread(ask) == [
            ("warn", f"Bot Telegram đang đặt webhook ({url}), máy thì tự hỏi tin.")
        ]
        server.webhook._error = (1, "Connection refused")
        server._updates.on_news = lambda: None
        server.user_sends(7, "xong 1c")
        assert await asyncio.to_thread(ask, webhook_url=url) == [
            ("warn", "Telegram còn 1 tin chưa chuyển được tới máy (Connection refused).")
        ]
        server.go_offline()
        assert await asyncio.to_thread(ask) == [("warn", "Không hỏi được Telegram về webhook.")]


@pytest.mark.asyncio
async def test_the_bot_before_zalo_itself() -> None:
    """The token, and who gets what people write; no address shows the token."""
    url = "https://nhac.example.vn/zalo"
    async with FakeZalo() as server:

        def ask(**more: Any) -> list[tuple[str, str]]:
            section = ZaloSection(token=Secret(server.token), base_url=server.base_url)
            with httpx.Client(trust_env=False) as client:
                checks = network.zalo(replace(section, **more), client)
                return [(check.verdict.value, check.sentence) for check in checks]

        good = [("ok", "Zalo nhận mã bot: bot.VDKyGxQvc.")]
        assert await asyncio.to_thread(ask) == [
            *good, ("ok", "Tin đến: máy tự hỏi tin của Zalo."),
        ]  # fmt: skip
        assert await asyncio.to_thread(ask, webhook_url=url) == [
            *good, ("warn", "Webhook trong [zalo] webhook_url chưa được đặt ở Zalo."),
        ]  # fmt: skip
        server.webhook = (url, "x" * 8)
        assert await asyncio.to_thread(ask, webhook_url=url) == [
            *good, ("ok", "Tin đến: trang theo dõi nhận tin Zalo chuyển tới."),
        ]  # fmt: skip
        assert await asyncio.to_thread(ask) == [
            *good,
            ("fault", f"Bot Zalo đang đặt webhook nơi khác ({url}): máy không nhận được tin."),
        ]
        assert await asyncio.to_thread(ask, token=Secret("1:other")) == [
            ("fault", "Zalo không nhận mã bot."),
        ]
        server.go_offline()
        [(verdict, words)] = await asyncio.to_thread(ask)
    assert (verdict, words.startswith("Không tới được Zalo (127.0.0.1): ")) == ("fault", True)
    assert server.token not in words


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"status": "ok", "faults": {}}, Verdict.OK),
        (503, {"status": "fault", "faults": {"tick": "quá lâu chưa quét"}}, Verdict.FAULT),
        (200, {"status": "ok"}, Verdict.OK),  # a process of a province
        (503, {"status": "fault"}, Verdict.FAULT),
        (200, {"x": 1}, Verdict.WARN),
        (200, ["x"], Verdict.WARN),
    ],
)
def test_what_a_process_says_of_itself_is_told(status: int, body: Any, verdict: Verdict) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    with httpx.Client(transport=transport) as client:
        assert network.page("127.0.0.1", 9464, client).verdict is verdict


@pytest.mark.parametrize(
    ("ahead", "verdict", "words"),
    [
        (0, "ok", "Giờ của máy khớp với Telegram."),
        (-61, "warn", "Giờ của máy chậm 61 giây so với Telegram."),
        (301, "fault", "Giờ của máy nhanh 5 phút so với Telegram."),
        (-86_400, "fault", "Giờ của máy chậm 24 giờ so với Telegram."),
        (34_560_000, "fault", "Giờ của máy nhanh 400 ngày so với Telegram."),
    ],
)
def test_the_clock_against_a_servers_date(ahead: int, verdict: str, words: str) -> None:
    date = format_datetime(NOW.replace(tzinfo=UTC), usegmt=True)
    found = network.clock(date, NOW + timedelta(seconds=ahead), "Telegram")
    assert (found.verdict, found.sentence) == (verdict, words)


@pytest.mark.parametrize("date", ["", "soon", "Tue, 99 Jan 2024 02:00:00 GMT"])
def test_without_a_date_the_clock_is_not_judged(date: str) -> None:
    found = network.clock(date, datetime(2024, 1, 30, tzinfo=UTC), "Telegram")
    assert found.verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("http://127.0.0.1:8080", "ok"),
        ("https://nv.example.vn", "ok"),
        ("http://10.0.0.5:8080", "warn"),
        ("http://vanphong", "warn"),
    ],
)
def test_a_page_that_others_can_hear_is_told(url: str, verdict: str) -> None:
    section = WebSection(listen="0.0.0.0:8080", base_url=url, insecure=True)
    assert local.page(section).verdict == Verdict(verdict)


def test_an_editor_who_is_nobody_of_the_office_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan may be changed on the page by the office's people alone."""
    terminal = Terminal(tmp_path, monkeypatch, '[web]\neditors = ["vp-1", "tp-1", "no-one"]\n')
    _, found = looked(terminal)
    assert found["editors"]["sentence"] == (
        "[web] editors có tp-1, no-one: không phải người của Văn phòng."
    )


def test_who_is_not_bound_to_a_channel_with_codes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also whom mail reaches; once all are bound, that."""
    terminal = Terminal(tmp_path, monkeypatch, f'[zalo]\ntoken = "12:ab"\n{MAIL}')
    with terminal.store() as store:
        store.bind("vp-1", "zalo", "6a", NOW)
    found = looked(terminal)[1]["unbound"]
    assert (found["verdict"], found["sentence"], found["remedy"]) == (
        "warn",
        "Chưa gắn Zalo: Công chức Tư pháp (tp-1).",
        "mời từng người: reminder invite MÃ --channel zalo",
    )
    with terminal.store() as store:
        store.bind("tp-1", "zalo", "6b", NOW)
    assert looked(terminal)[1]["unbound"]["sentence"] == "Cả 2 người dùng Zalo đều đã gắn."
