"""`reminder invite`, `people`, `unbind`: run as a user would, on a real database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminder.app import bootstrap
from reminder.cli import app
from reminder.domain.errors import ReminderError
from reminder.domain.tokens import hash_code, hash_typed_code
from reminder.store.records import SECRET
from reminder.store.store import Store, open_store
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank

NOW = datetime(2024, 1, 30, 2, 0, tzinfo=UTC)  # Tuesday, 09:00 at the office
PEOPLE = """\
[[person]]
id = "vp-1"
name = "Công chức Văn phòng"
unit = "van-phong"
email = "vp@xa.example"

[[person]]
id = "tp-1"
name = "Công chức Tư pháp"
unit = "tu-phap"
email = "tp@xa.example"

[[person]]
id = "ld-1"
name = "Lãnh đạo"
unit = "lanh-dao"
email = "ld@xa.example"
channels = ["email"]
"""


class Terminal:
    """An office in a folder, an hour that stands still, and a terminal on both."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        settings: str = "",
        *,
        started: bool = True,
    ) -> None:
        """`started`: the first start has made the database."""
        self.folder, self._patch = folder, monkeypatch
        (folder / "people.toml").write_text(PEOPLE, encoding="utf-8")
        self.config = folder / "reminder.toml"
        self.url = f"sqlite:///{folder}/reminder.db"
        if started:
            lay_blank(folder / "reminder.db")
        plan = ROOT / "data/plan2024.toml"
        text = f'[plan]\nfiles = ["{plan}"]\n[store]\nurl = "{self.url}"\n{settings}'
        self.config.write_text(text, encoding="utf-8")
        monkeypatch.chdir(ROOT)
        self.at(NOW)

    def at(self, now: datetime) -> None:
        """The hour becomes `now`."""
        self._patch.setattr(bootstrap, "now", lambda: now)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database, as another process would open it."""
        store = open_store(self.url, exclusive=False, sleep=bootstrap.pause)
        try:
            yield store
        finally:
            store.close()

    def run(self, *arguments: str) -> str:
        """The output of a command that succeeds."""
        call = [*arguments, "--config", str(self.config)]
        result = CliRunner().invoke(app, call, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *arguments: str) -> str:
        """What a command says that ends with exit code 1."""
        result = CliRunner().invoke(app, [*arguments, "--config", str(self.config)])
        assert isinstance(result.exception, ReminderError), result.output
        return str(result.exception)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


def test_unbind_of_one_channel_leaves_the_others(terminal: Terminal) -> None:
    """--channel names one; an address of people.toml is not unbound here."""
    with terminal.store() as store:
        for channel in ("telegram", "zalo"):
            store.bind("tp-1", channel, "42", NOW)
    assert terminal.run("unbind", "tp-1", "--channel", "zalo").startswith("Đã bỏ Zalo của tp-1.")
    with terminal.store() as store:
        assert [(a.recipient, a.channel) for a in store.addresses()] == [("tp-1", "telegram")]
    assert terminal.refused("unbind", "tp-1", "--channel", "zalo") == (
        "tp-1 chưa gắn Zalo: không có gì để bỏ"
    )
    said = terminal.refused("unbind", "tp-1", "--channel", "email")
    assert said == "địa chỉ của kênh email nằm trong people.toml: bỏ ở đó"


def test_an_invitation_binds_once(terminal: Terminal) -> None:
    """--json: person, code, url, expiry after 72 hours; only the code's hash is in the database."""
    with terminal.store() as store:
        store.set_meta("bot_name", "nhac_bot")
    found = json.loads(terminal.run("invite", "tp-1", "--json"))
    code = found["code"]
    assert found == {
        "person": "tp-1",
        "code": code,
        "url": f"https://t.me/nhac_bot?start={code}",
        "expires_at": "2024-02-02T09:00:00+07:00",
    }
    assert code.encode() not in (terminal.folder / "reminder.db").read_bytes()
    with terminal.store() as store:
        assert store.redeem(hash_code(code), NOW + timedelta(hours=71), "telegram", "42") == "tp-1"
        assert store.redeem(hash_code(code), NOW, "telegram", "43") is None


def test_an_invitation_at_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link, a QR code in half blocks, and what to type where neither can be used."""
    terminal = Terminal(tmp_path, monkeypatch, '[telegram]\nbot_name = "nhac_bot"\n')
    lines = terminal.run("invite", "tp-1").splitlines()
    assert lines[0] == ("Lời mời cho Công chức Tư pháp (tp-1), dùng một lần, đến 09:00 02/02/2024.")
    code = lines[-1].removeprefix("  /start ")
    assert f"  https://t.me/nhac_bot?start={code}" in lines
    blocks = [line for line in lines if line and set(line) <= set("█▀▄ ")]
    assert len(blocks) >= 17
    assert len({len(line) for line in blocks}) == 1


def test_an_invitation_without_a_link(terminal: Terminal) -> None:
    """Before the bot's name is known the code alone is printed, and why."""
    assert json.loads(terminal.run("invite", "tp-1", "--json"))["url"] is None
    output = terminal.run("invite", "tp-1")
    assert "Chưa biết tên bot nên chưa có đường dẫn: ghi telegram.bot_name" in output
    assert "t.me" not in output


@pytest.mark.parametrize("channel", ["telegram", "zalo"])
def test_an_invitation_to_a_channel_that_is_off(terminal: Terminal, channel: str) -> None:
    """It is made, and what the bot lacks is said beside it; nothing where it has a token."""
    call = ["invite", "tp-1", "--channel", channel, "--config", str(terminal.config)]
    said = f"{channel.capitalize()} chưa được cài đặt: ghi token vào [{channel}].\n"
    off = CliRunner().invoke(app, call)
    assert (off.exit_code, said in off.stderr) == (0, True)
    with terminal.config.open("a", encoding="utf-8") as file:
        file.write(f'[{channel}]\ntoken = "12:ab"\n')
    on = CliRunner().invoke(app, call)
    assert (on.exit_code, said in on.stderr) == (0, False)


ZALO = '[zalo]\ntoken = "12:ab"\n'
TYPED = "[2-9A-HJKMNP-Z]{8}"


def test_a_typed_code_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--channel zalo --json: a short code; before the bot was reached there is no address."""
    terminal = Terminal(tmp_path, monkeypatch, ZALO)
    found = json.loads(terminal.run("invite", "tp-1", "--channel", "zalo", "--json"))
    assert re.fullmatch(TYPED, found["code"])
    assert found == {
        "person": "tp-1",
        "code": found["code"],
        "url": None,
        "expires_at": "2024-02-02T09:00:00+07:00",
    }
    assert found["code"].encode() not in (terminal.folder / "reminder.db").read_bytes()
    with terminal.store() as store:
        hashed = hash_typed_code(store.meta(SECRET) or "", "zalo", found["code"])
        assert store.invited(hashed, NOW) == "tp-1"


def test_the_words_to_send_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot's link, its QR code, and what the officer is written with the code."""
    terminal = Terminal(tmp_path, monkeypatch, ZALO)
    with terminal.store() as store:
        store.set_meta("bot_name:zalo", "bot.AbC")
    said = terminal.run("invite", "tp-1", "--channel", "zalo")
    link, _, words = said.partition("Lời gửi kèm:")
    assert "\n  https://zalo.me/bot.AbC\n" in link
    assert sum(1 for line in link.splitlines() if line and set(line) <= set("█▀▄ ")) >= 17
    code = re.search(r"Mã: (\w{4} \w{4})\n", link)
    assert code
    assert words.strip().splitlines()[:2] == [
        "Chào Công chức Tư pháp. Để nhận tin nhắc việc qua Zalo: mở https://zalo.me/bot.AbC,",
        f"  nhắn mã {code[1]} (hoa hay thường, có dấu cách hay không đều được).",
    ]


def test_without_a_channel_telegram_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside Zalo too; where Zalo alone is set up, Zalo is."""
    both, alone = (tmp_path / name for name in ("both", "alone"))
    for folder, settings in ((both, f'[telegram]\ntoken = "1:a"\n{ZALO}'), (alone, ZALO)):
        folder.mkdir()
        found = json.loads(Terminal(folder, monkeypatch, settings).run("invite", "tp-1", "--json"))
        assert bool(re.fullmatch(TYPED, found["code"])) is (folder == alone)


def test_one_is_invited_to_channels_that_have_codes(terminal: Terminal) -> None:
    """E-mail has none."""
    said = terminal.refused("invite", "tp-1", "--channel", "email")
    assert said == "không mời được vào kênh “email”. Có: telegram, zalo"


def test_inviting_nobody_is_refused(terminal: Terminal) -> None:
    """An unknown id is told with the nearest known one."""
    said = terminal.refused("invite", "tp1")
    assert said == "people.toml không có người nào mã “tp1”; có phải là “tp-1”?"


def test_people_shows_how_each_is_reached(terminal: Terminal) -> None:
    """Bound, dead since and why, never bound, not wished; and the last invitation."""
    terminal.run("invite", "vp-1")
    terminal.run("invite", "tp-1")
    with terminal.store() as store:
        store.bind("tp-1", "telegram", "42", NOW + timedelta(hours=1))
        store.bind("ld-1", "email", "ld@xa.example", NOW)
        store.mark_address_dead("email", "ld@xa.example", "550 no such user", NOW)
        store.bind("group:tu-phap", "telegram", "-100", NOW)
    terminal.at(NOW + timedelta(days=4))
    lines = terminal.run("people").splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines[3:-2]]
    assert rows == [
        ["vp-1", "Công chức Văn phòng", "van-phong", "chưa gắn", "vp@xa.example",
         "09:00 30/01/2024, hết hạn"],
        ["tp-1", "Công chức Tư pháp", "tu-phap", "đã gắn 10:00 30/01/2024", "tp@xa.example",
         "09:00 30/01/2024, đã dùng"],
        ["ld-1", "Lãnh đạo", "lanh-dao", "không dùng",
         "ld@xa.example: hỏng từ 09:00 30/01/2024 (550 no such user)", "chưa mời"],
    ]  # fmt: skip
    assert lines[-1] == "Nhóm Telegram của tu-phap: đã gắn 09:00 30/01/2024."


def test_unbind_forgets_the_telegram_of_a_person(terminal: Terminal) -> None:
    """Of a person, of a group, of somebody whom the file no longer has; once."""
    who = ("tp-1", "group:tu-phap", "da-nghi")
    with terminal.store() as store:
        for number, recipient in enumerate(who):
            store.bind(recipient, "telegram", str(number), NOW)
        store.bind("tp-1", "email", "tp@xa.example", NOW)
    for recipient in who:
        assert terminal.run("unbind", recipient).startswith(f"Đã bỏ Telegram của {recipient}.")
    with terminal.store() as store:
        assert [(a.recipient, a.channel) for a in store.addresses()] == [("tp-1", "email")]
    assert terminal.refused("unbind", "tp-1") == "tp-1 chưa gắn Telegram, Zalo: không có gì để bỏ"
    assert terminal.refused("unbind", "tp") == "không có ai mã “tp”; có phải là “tp-1”?"


def test_a_dead_address_is_tried_again_on_the_operators_word(terminal: Terminal) -> None:
    """One channel or all; it stays the address that it was, bound when it was."""
    bound = NOW - timedelta(days=9)
    with terminal.store() as store:
        for channel, value in (("telegram", "1"), ("email", "tp@xa.example")):
            store.bind("tp-1", channel, value, bound)
            store.mark_address_dead(channel, value, "550", NOW)
    assert terminal.run("revive", "tp-1", "--channel", "email") == (
        "email của tp-1 dùng lại từ lần nhắc tới.\n"
        "Tin đã không gửi được thì không gửi lại: reminder outbox list --state dead\n"
    )
    with terminal.store() as store:
        alive = {a.channel: (a.value, a.bound_at, a.dead_since is None) for a in store.addresses()}
    assert alive == {"email": ("tp@xa.example", bound, True), "telegram": ("1", bound, False)}
    refused = terminal.refused("revive", "tp-1", "--channel", "email")
    assert refused == "tp-1 không có địa chỉ nào hỏng ở email"
    assert terminal.run("revive", "tp-1").startswith("telegram của tp-1 dùng lại")
    assert terminal.refused("revive", "tp-1") == "tp-1 không có địa chỉ nào hỏng"
    assert terminal.refused("revive", "tp") == "không có ai mã “tp”; có phải là “tp-1”?"
