"""The settings: the file, the environment over it, and how each slip is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.errors import FileError
from reminder.domain.schedule import Policy, Timing
from reminder.files.settings import Secret, Settings, ZaloSection, load_settings, settings_path
from tests.conftest import ROOT

TOKEN = "123456789:AAF-secret_of_the_bot"
PING = "7f2c-1111"
PASSWORD = "mật khẩu rất kín"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "reminder.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    return load_settings(written(folder, text), environ or {})


def faults(folder: Path, text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
    """The faults of settings of this text, each as “line: message”."""
    path = written(folder, text)
    with pytest.raises(FileError) as caught:
        load_settings(path, environ or {})
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_the_defaults_are_the_contracts(tmp_path: Path) -> None:
    """An empty file: SQLite in var/, no channel, and core.schedule.Policy as it stands."""
    settings = loaded(tmp_path, "")
    assert settings.schedule == Policy()
    assert settings.store.url == "sqlite:///var/reminder.db"
    assert (settings.telegram.is_on, settings.email.is_on) == (False, False)
    assert (settings.delivery.in_flight, settings.delivery.fall_through_after) == (8, 120)


def test_every_key_can_be_said(tmp_path: Path) -> None:
    """Each value of the file arrives as what it means."""
    settings = loaded(
        tmp_path,
        f"""
        [office]
        id = "phuong-an-khe"
        [plan]
        files = ["ke-hoach.toml", "/srv/khac.toml"]
        people = "../nguoi.toml"
        calendar = "lich.toml"
        [store]
        url = "postgresql://nhac:{PASSWORD}@may/nhac"
        [telegram]
        token = " {TOKEN} "
        base_url = "http://127.0.0.1:8081/bot/"
        bot_name = "@nhacviec_bot"
        [email]
        host = "smtp.xa.example"
        security = "TLS"
        username = "nhac"
        password = "{PASSWORD}"
        sender = "Máy nhắc <nhac@xa.example>"
        [inbox]
        host = "imap.xa.example"
        security = "starttls"
        username = "nhac"
        password = "{PASSWORD}"
        folder = "INBOX"
        processed = "Xong"
        address = "nhac@xa.example"
        trust = "Token"
        poll_seconds = 5
        [schedule]
        slot = 08:15:00
        digest = "7h45"
        catch_up_until = "16:00"
        office_after = 2
        leaders_after = 4
        speaks_until = "28/02"
        [schedule.once]
        leads = [1, 30, 7]
        late = []
        late_every = 0
        [schedule.check_in]
        leads = [5]
        [delivery]
        in_flight = 1
        fall_through_after = 30
        [backup]
        folder = "sao"
        second_folder = "/mnt/usb/sao"
        keep = 30
        hour = "12h15"
        [watch]
        listen = "[::1]:9464"
        heartbeat_url = "https://hc.example/ping/{PING}"
        [log]
        format = "json"
        level = "DEBUG"
        """,
    )
    plan, email = settings.plan, settings.email
    assert settings.office.id == "phuong-an-khe"
    assert plan.files == (tmp_path / "ke-hoach.toml", Path("/srv/khac.toml"))
    assert (plan.people, plan.calendar) == (tmp_path.parent / "nguoi.toml", tmp_path / "lich.toml")
    assert settings.telegram.token.value == TOKEN
    assert settings.telegram.base_url == "http://127.0.0.1:8081/bot"
    assert settings.telegram.bot_name == "nhacviec_bot"
    assert (email.port, email.security) == (465, "tls")
    assert (email.sender, email.sender_name) == ("nhac@xa.example", "Máy nhắc")
    inbox = settings.inbox
    assert (inbox.is_on, inbox.port, inbox.security, inbox.trust) == (
        True,
        143,
        "starttls",
        "token",
    )
    assert (inbox.address, inbox.processed, inbox.poll_seconds) == ("nhac@xa.example", "Xong", 5)
    assert settings.schedule == Policy(
        once=Timing(leads=(30, 7, 1), late=()),
        check_in=Timing(leads=(5,), late=(1, 3)),
        office_after=2,
        leaders_after=4,
        slot=time(8, 15),
        digest=time(7, 45),
        catch_up_until=time(16),
        speaks_until=(2, 28),
    )
    assert (settings.log.format, settings.log.level) == ("json", "debug")
    backup = settings.backup
    assert (backup.folder, backup.second_folder) == (tmp_path / "sao", Path("/mnt/usb/sao"))
    assert (backup.keep, backup.hour) == (30, time(12, 15))
    assert settings.watch.place == ("::1", 9464)
    assert settings.watch.heartbeat_url.value.endswith(PING)
    for shown in (repr(settings), str(settings)):
        assert PING not in shown
        assert TOKEN not in shown
        assert PASSWORD not in shown


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """Every key by REMINDER_SECTION__KEY, lists with commas, paths from the current directory."""
    settings = loaded(
        tmp_path,
        '[email]\nport = 25\n[schedule]\nslot = "09:00"\n[plan]\npeople = "a.toml"\n',
        {
            "REMINDER_EMAIL__PORT": "2525",
            "REMINDER_PLAN__FILES": "a.toml, b.toml",
            "REMINDER_PLAN__PEOPLE": "nguoi.toml",
            "REMINDER_SCHEDULE__ONCE__LEADS": "7,0",
            "REMINDER_SCHEDULE__ONCE__LATE": "[2]",
            "REMINDER_TELEGRAM__TOKEN": TOKEN,
            "REMINDER_HOME": "not ours",
            "PATH": "/bin",
        },
    )
    assert settings.email.port == 2525
    assert settings.plan.files == (Path("a.toml"), Path("b.toml"))
    assert settings.plan.people == Path("nguoi.toml")
    assert settings.schedule.once == Timing(leads=(7, 0), late=(2,), late_every=5)
    assert settings.schedule.slot == time(9)
    assert settings.telegram.is_on


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """…_FILE names a file that holds just the secret; the line's end is no part of it."""
    for name, text in (("token", TOKEN + "\n"), ("password", PASSWORD + "\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = loaded(
        tmp_path,
        '[email]\nhost = "h"\nsender = "a@b.example"\nusername = "u"\n',
        {
            "REMINDER_TELEGRAM__TOKEN_FILE": str(tmp_path / "token"),
            "REMINDER_EMAIL__PASSWORD_FILE": str(tmp_path / "password"),
        },
    )
    found = settings.telegram.token, settings.email.password
    assert [secret.value for secret in found] == [TOKEN, PASSWORD]


def test_a_secret_that_is_empty_is_told(tmp_path: Path) -> None:
    """A file without a word is a slip, not a channel that is off."""
    (tmp_path / "token").write_text("\n", encoding="utf-8")
    name = "REMINDER_TELEGRAM__TOKEN_FILE"
    told = faults(tmp_path, "", {name: str(tmp_path / "token")})
    assert told == [f"{name}: {tmp_path / 'token'}: tệp rỗng"]


SLIPS = """\
[telegram]
token = “123:abc”
[[email]]
sender = "nhac@xa.example"
host = mail.example
[log]
level = "inof"
***
"""


def test_slips_of_the_syntax_are_told_without_values(tmp_path: Path) -> None:
    """All faults at once, with the line to write; a value may be a secret, so it is left out."""
    path = tmp_path / "reminder.toml"
    path.write_text(SLIPS, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        load_settings(path, {})
    *told, level, last = [str(p).removeprefix(f"{path}:") for p in caught.value.problems]
    assert told == [
        '2: dấu nháy cong của Word; viết: token = "…"',
        "3: bảng này ghi một lần ngoặc vuông; viết: [email]",
        '5: chữ phải nằm trong dấu nháy kép; viết: host = "…"',
    ]
    assert level.startswith("7: `level` phải là")
    assert last.startswith("8: không đọc được dòng này: chữ phải nằm trong dấu nháy kép")


def test_the_file_that_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one given; else $REMINDER_CONFIG; else config/reminder.toml; else none at all."""
    monkeypatch.chdir(tmp_path)
    given_path, named = Path("a.toml"), {"REMINDER_CONFIG": "b.toml"}
    assert settings_path(given_path, named) == given_path
    assert settings_path(None, named) == Path("b.toml")
    assert settings_path(None, {}) is None
    assert load_settings(None, {}).plan.people is None
    (tmp_path / "config").mkdir()
    (tmp_path / "config/reminder.toml").touch()
    (tmp_path / "config/people.toml").touch()
    assert settings_path(None, {}) == Path("config/reminder.toml")
    assert load_settings(None, {}).plan.people == Path("config/people.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[telegram]\ntokn = 'x'", "2: không có khóa “tokn”; có phải là “token”?"),
        ("[telegam]\ntoken = 'x'", "1: không có bảng “telegam”; có phải là “telegram”?"),
        ("_env_file = 'x'", "1: không có bảng “_env_file”"),
        ("telegram = 'x'", "1: `telegram` phải là một bảng [telegram]"),
        ("[telegram]\ntoken = 3", "2: `token` phải là mã do @BotFather cấp"),
        ("[telegram]\ntoken = 'a b'", "2: `token` phải là mã do @BotFather cấp"),
        ("[telegram]\nbase_url = 'https://api.telegram.org'", "2: `base_url` phải là địa chỉ kết"),
        ("[telegram]\nbot_name = 'nhắc'", "2: `bot_name` phải là tên người dùng"),
        ("[store]\nurl = 'reminder.db'", "2: `url` phải là địa chỉ cơ sở dữ liệu"),
        (
            "[email]\nsecurity = 'starttl'",
            '2: `security` phải là "starttls", "tls" hoặc "none", không phải \'starttl\'; có phải',
        ),
        ("[email]\nport = true", "2: `port` phải là số cổng"),
        ("[email]\nport = 70000", "2: `port` phải là số cổng"),
        ("[email]\nhost = 'h'", "1: thiếu `sender`: thư gửi từ địa chỉ nào?"),
        ("[email]\nsender = 'a@b.example'", "1: thiếu `host`"),
        ("[email]\nsender = 'a'", "2: `sender` phải là địa chỉ thư gửi đi"),
        (
            "[email]\nhost = 'h'\nsender = 'a@b.example'\npassword = 'p'",
            "1: có `password` mà thiếu `username`",
        ),
        ("[schedule]\nslot = 800", "2: `slot` phải là giờ:phút trong dấu nháy kép"),
        ("[schedule]\nslot = '25:00'", "2: `slot` phải là giờ:phút trong dấu nháy kép"),
        ("[schedule]\nslot = '17:00'", "2: `slot` phải trước `catch_up_until` (17:00)"),
        ("[schedule]\nspeaks_until = '29/02'", "2: `speaks_until` phải là ngày/tháng"),
        ("[schedule]\nleaders_after = 0", "2: `leaders_after` phải là số ngày làm việc"),
        ("[schedule.once]\nleads = [3, -1]", "2: `leads` phải là danh sách số ngày trước hạn"),
        ("[schedule.once]\nlede = [3]", "2: không có khóa “lede”; có phải là “leads”?"),
        ("[schedule]\nonce.late = ['x']", "2: `late` phải là danh sách số ngày làm việc"),
        ("[delivery]\nin_flight = 0", "2: `in_flight` phải là số tin gửi cùng lúc"),
        ("[office]\nid = 'An Khê'", "2: `id` phải là mã cơ quan: chữ thường không dấu"),
        ("[plan]\nfiles = [3]", "2: `files` phải là danh sách tệp kế hoạch"),
        ("[plan]\npeople = ''", "2: `people` phải là tên tệp"),
        ("[watch]\nlisten = '9464'", "2: `listen` phải là địa chỉ:cổng trên máy này"),
        ("[watch]\nlisten = 'localhost:99999'", "2: `listen` phải là địa chỉ:cổng trên máy này"),
        ("[watch]\nheartbeat_url = 'hc.example'", "2: `heartbeat_url` phải là địa chỉ http(s)"),
        ("[watch]\nheartbeat_url = 'http://a b'", "2: `heartbeat_url` phải là địa chỉ http(s)"),
        ("[backup]\nkeep = 0", "2: `keep` phải là số bản sao được giữ, từ 1 đến 400"),
        ("[backup]\nhour = 2", '2: `hour` phải là giờ:phút trong dấu nháy kép, ví dụ "02:30"'),
        ("[backup]\nfolder = 'a'\nsecond_folder = 'a'", "3: `second_folder` phải khác `folder`"),
        ("[log]\nformat = 'xml'", '2: `format` phải là "text" hoặc "json"'),
    ],
)
def test_each_slip_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """One sentence: the line, what is wrong, what to write."""
    found = faults(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(told), found


def test_zalo_is_off_without_a_token(tmp_path: Path) -> None:
    """Its token may come from a file; a server in the office's network is taken, too."""
    token = tmp_path / "token"
    token.write_text("77:abc\n", encoding="utf-8")
    environ = {
        "REMINDER_ZALO__TOKEN_FILE": str(token),
        "REMINDER_ZALO__BASE_URL": "http://127.0.0.1:8081/bot",
    }
    found = load_settings(None, environ).zalo
    assert load_settings(None, {}).zalo == ZaloSection()
    assert not ZaloSection().is_on
    assert found == ZaloSection(token=Secret("77:abc"), base_url="http://127.0.0.1:8081/bot")
    assert (found.is_on, found.monthly_quota, found.poll_seconds) == (True, 3000, 30)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"REMINDER_TELEGRAM_TOKEN": TOKEN},
            "REMINDER_TELEGRAM_TOKEN: không có khóa này; có phải là “REMINDER_TELEGRAM__TOKEN”?",
        ),
        ({"REMINDER_TELEGAM__TOKEN": TOKEN}, "REMINDER_TELEGAM__TOKEN: không có khóa này"),
        ({"REMINDER_EMAIL__PORT": "x"}, "REMINDER_EMAIL__PORT: `port` phải là số cổng"),
        ({"REMINDER_EMAIL__PORT": ""}, "REMINDER_EMAIL__PORT: `port` phải là số cổng"),
        ({"REMINDER_SCHEDULE__ONCE__LEADS": "{"}, "REMINDER_SCHEDULE__ONCE__LEADS: `leads` phải"),
        (
            {"REMINDER_TELEGRAM__TOKEN_FILE": "/khong-co"},
            "REMINDER_TELEGRAM__TOKEN_FILE: /khong-co: không có tệp này",
        ),
        (
            {"REMINDER_TELEGRAM__TOKEN": "x", "REMINDER_TELEGRAM__TOKEN_FILE": "/x"},
            "REMINDER_TELEGRAM__TOKEN_FILE: chỉ đặt một trong hai",
        ),
        (
            {"REMINDER_TELEGRAM__TOKEN_FILE": "/dev/null"},
            "REMINDER_TELEGRAM__TOKEN_FILE: /dev/null: không phải tệp mà là thiết bị",
        ),
    ],
)  # fmt: skip
def test_a_slip_in_the_environment_is_told_by_the_variable(
    tmp_path: Path, environ: dict[str, str], told: str
) -> None:
    """The variable's name stands where a file's line would."""
    found = faults(tmp_path, "[email]\nport = 25\n", environ)
    assert len(found) == 1
    assert found[0].startswith(told), found


@pytest.mark.parametrize(
    "text",
    [
        f"[telegram]\ntoken = {TOKEN}",
        f'[telegram]\ntoken = "{TOKEN}',
        f'[telegram]\ntoken = ["{TOKEN}"]',
        f'[telegram]\ntoken = "{TOKEN} x"',
        f'telegram = "{TOKEN}"',
        f'[telegram]\ntokn = "{TOKEN}"',
        f'[email]\npassword = ["{TOKEN}"]',
        f'[store]\nurl = "{TOKEN}"\n[email]\npassword = "{TOKEN}"\nhost = "h"\nsender = "a@b.vn"',
    ],
)
def test_no_fault_quotes_a_secret(tmp_path: Path, text: str) -> None:
    """A fault's text goes to a terminal, to a log, into a ticket."""
    assert not [line for line in faults(tmp_path, text) if TOKEN[-8:] in line]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Those of the file by line, then those of the environment."""
    text = "[email]\nport = 0\n[log]\nlevel = 'x'\n[tele]\n[schedule]\nslot = 1\n"
    found = faults(tmp_path, text, {"REMINDER_LOG__FORMAT": "x", "REMINDER_LOG__X": ""})
    assert [line.split(":")[0] for line in found] == [
        "2", "4", "5", "7", "REMINDER_LOG__X", "REMINDER_LOG__FORMAT",
    ]  # fmt: skip


ZALO = f"[zalo]\ntoken = '{TOKEN}'\n"
HOOK = "webhook_url = 'https://nhac.example.vn/zalo'\nwebhook_secret = '12345678'\n"
MAIL = "[email]\nhost = 'h'\nsender = 'a@b.example'\n"
BOT = f"[telegram]\ntoken = '{TOKEN}'\n"
BOT_HOOK = "webhook_url = 'https://nhac.example.vn/tin'\nwebhook_secret = '0123456789abcdef'\n"
WEB = "[web]\nlisten = '127.0.0.1:8080'\n"
BOX = "[inbox]\nhost = 'i'\nusername = 'u'\npassword = 'p'\naddress = 'a@b.example'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAIL + BOX, '4: thiếu `authserv_id`: trust = "auth-results" cần biết máy chủ thư'),
        (MAIL + BOX + "trust = 'tin'", "9: `trust` phải là"),
        (MAIL + BOX + "authserv_id = 'mx; x'", "9: `authserv_id` phải là tên mà máy chủ thư ghi"),
        (MAIL + BOX.replace("a@b", f"{'a' * 30}@b") + "trust = 'token'", "8: phần trước @ của"),
        (MAIL + BOX + "trust = 'token'\nprocessed = 'INBOX'", "10: `processed` phải khác `folder`"),
        (MAIL + "[inbox]\nhost = 'i'", "4: thiếu `username`"),
        (MAIL + "[inbox]\nhost = 'i'\nusername = 'u'", "4: thiếu `password`"),
        ("[inbox]\naddress = 'a@b.example'", "1: thiếu `host`: tên máy chủ thư đến"),
        (BOX + "trust = 'token'", "[inbox] cần [email]: thư trả lời là trả lời thư máy đã gửi"),
        (ZALO + HOOK, "[zalo] webhook_url cần [web] listen: trang theo dõi nhận tin Zalo chuyển"),
        (ZALO + HOOK.partition("webhook_secret")[0], "1: có `webhook_url` mà thiếu"),
        (ZALO + "webhook_secret = 'dài-quá'", "3: `webhook_secret` phải là từ 8 đến 256 ký tự"),
        (ZALO + "webhook_url = 'https://nhac.example.vn'", "3: `webhook_url` phải là địa chỉ"),
        (
            BOT + BOT_HOOK,
            "[telegram] webhook_url cần [web] listen: trang theo dõi nhận tin Telegram",
        ),
        (BOT + BOT_HOOK.partition("webhook_secret")[0], "1: có `webhook_url` mà thiếu"),
        (BOT + "webhook_secret = 'quá ngắn'", "3: `webhook_secret` phải là từ 16 đến 256 chữ"),
        (
            WEB + BOT + BOT_HOOK.replace("https", "http"),
            "5: Telegram chỉ chuyển tin",
        ),
        (
            WEB + BOT + BOT_HOOK.replace("vn/", "vn:8080/"),
            "5: Telegram chỉ chuyển tin",
        ),
        (WEB + BOT + BOT_HOOK + ZALO + HOOK.replace("/zalo", "/tin"), "phải có hai đường dẫn"),
        (ZALO + "poll_seconds = 0", "3: `poll_seconds` phải là số giây, từ 1 đến 60"),
        (ZALO + "base_url = 'https://bot-api.zaloplatforms.com'", "3: `base_url` phải là địa chỉ"),
    ],
)
def test_slips_about_the_mailbox_are_told(tmp_path: Path, text: str, said: str) -> None:
    """What answers by mail need, each slip with its line and what to write."""
    (fault,) = faults(tmp_path, text)
    assert said in fault


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    """Named by $REMINDER_CONFIG or by --config, a missing file is no default."""
    with pytest.raises(FileError, match="không có tệp này"):
        load_settings(None, {"REMINDER_CONFIG": str(tmp_path / "khong-co.toml")})
    assert faults(tmp_path, b"[log]\n\xff") == [
        "2: không phải chữ UTF-8: hãy lưu lại tệp với mã UTF-8"
    ]


def test_the_sample_shows_every_key_with_its_default(tmp_path: Path) -> None:
    """Uncommented, config/reminder.toml is the defaults; nothing is missing from it."""
    text = (ROOT / "config/reminder.toml").read_text(encoding="utf-8")
    assert load_settings(written(tmp_path, text), {}) == Settings()
    said = re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    settings = load_settings(written(tmp_path, said), {})
    assert settings.schedule == Policy()
    assert settings.plan.files == (tmp_path / "../data/plan2024.toml",)
    for name in ("store", "delivery", "log"):
        assert getattr(settings, name) == getattr(Settings(), name)
    for name in (section.name for section in fields(Settings)):
        shown = re.findall(r"(?m)^(\w+) = ", said.partition(f"\n[{name}]\n")[2].split("\n[")[0])
        tables = re.findall(rf"(?m)^\[{name}\.(\w+)\]", said)
        assert {*shown, *tables} == {f.name for f in fields(getattr(settings, name))}


@given(data=st.data())
def test_damaged_settings_are_settings_or_a_clear_refusal(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever happens to the file or the environment: Settings, or a FileError without values."""
    text = (ROOT / "config/reminder.toml").read_text(encoding="utf-8")
    lines = re.sub(r"(?m)^# (\w+ = )", r"\1", text).splitlines()
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from(lines) | st.text(max_size=30))
    names = [
        f"REMINDER_{n}" for n in ("EMAIL__PORT", "PLAN__FILES", "SCHEDULE__ONCE__LATE", "X__Y")
    ]
    environ = data.draw(st.dictionaries(st.sampled_from(names), st.text(max_size=10), max_size=2))
    path = written(tmp_path_factory.getbasetemp(), "\n".join(lines).encode("utf-8", "replace"))
    found = outcome(path, environ)
    assert found
    assert all(line.startswith((str(path), *environ)) for line in found) or found == ["sound"]


def outcome(path: Path, environ: Mapping[str, str]) -> list[str]:
    """The faults of settings, or “sound”. Anything else is raised."""
    try:
        load_settings(path, environ)
    except FileError as error:
        return [str(problem) for problem in error.problems]
    return ["sound"]


@pytest.mark.parametrize(
    ("url", "insecure", "told"),
    [
        ("http://127.0.0.1:8080", "false", ""),
        ("https://nv.example.vn", "false", ""),
        ("http://10.0.0.5:8080", "true", ""),
        ("http://vanphong", "true", ""),
        ("http://10.0.0.5:8080", "false", "http chỉ dùng trên máy này"),
        ("http://8.8.8.8", "true", "địa chỉ công cộng thì phải dùng https"),
    ],
)
def test_the_page_is_open_by_http_in_the_own_network_alone(
    tmp_path: Path, url: str, insecure: str, told: str
) -> None:
    """Where that is said; on this machine unasked."""
    text = f'[web]\nlisten = "0.0.0.0:8080"\nbase_url = "{url}"\ninsecure = {insecure}\n'
    if not told:
        assert loaded(tmp_path, text).web.url == url
        return
    [fault] = faults(tmp_path, text)
    assert told in fault


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("HTTPS://Tinh.example.vn/p/Phu-Xa/", "https://tinh.example.vn/p/Phu-Xa"),
        ("https://tinh.example.vn/", "https://tinh.example.vn"),
        ("https://tinh.example.vn/../x", None),
        ("https://tinh.example.vn/p?a=1", None),
        ("https://tinh.example.vn//p", None),
    ],
)
def test_the_pages_address_may_have_a_path(tmp_path: Path, given: str, read: str | None) -> None:
    """Its host is written small, its path as it is; no query, no dots, no empty part."""
    text = f'[web]\nlisten = "127.0.0.1:8080"\nbase_url = "{given}"\n'
    if read is None:
        [fault] = faults(tmp_path, text)
        assert "`base_url` phải là địa chỉ mà trình duyệt gõ" in fault
    else:
        assert loaded(tmp_path, text).web.url == read


@pytest.mark.parametrize(
    ("keys", "here"),
    [
        ('listen = "127.0.0.1:8080"', True),
        ('listen = "[::1]:8080"', True),
        ('listen = "127.0.0.1:8080"\nbase_url = "https://nhacviec.example.vn"', False),
        ('listen = "127.0.0.1:8080"\nbase_url = "http://127.0.0.1:8080"', False),
        ('listen = "192.168.1.5:8080"\ninsecure = true', False),
    ],
)
def test_a_page_without_an_address_of_its_own_opens_on_this_machine_alone(
    tmp_path: Path, keys: str, here: bool
) -> None:
    """A `base_url` is the office's word for what its browsers open."""
    assert loaded(tmp_path, f"[web]\n{keys}\n").web.is_here is here


def test_a_text_that_is_not_closed_ends_before_its_comment(tmp_path: Path) -> None:
    """One fault is told, and not the address and the comment behind it for another."""
    text = '[email]\nhost = "mail.example.vn"\nsender = "a@example.vn  # địa chỉ gửi đi\n'
    [fault] = faults(tmp_path, text)
    assert fault.endswith('thiếu dấu nháy kép ở cuối; viết: sender = "…"')


@pytest.mark.parametrize("linked", [False, True])
def test_a_plans_path_is_told_without_detours(tmp_path: Path, linked: bool) -> None:
    """Unless its folder is a link: “..” then leads elsewhere."""
    home = tmp_path / "etc" if linked else tmp_path
    (home / "config").mkdir(parents=True)
    (home / "data").mkdir()
    (home / "data/plan.toml").touch()
    if linked:
        (tmp_path / "config").symlink_to(home / "config")
    [path] = loaded(tmp_path / "config", '[plan]\nfiles = ["../data/plan.toml"]\n').plan.files
    assert path.samefile(home / "data/plan.toml")
    assert (".." in path.parts) is linked
