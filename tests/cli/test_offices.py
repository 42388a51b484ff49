"""`reminder office …`, and all other commands with --office: many offices in one database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminder.app import bootstrap
from reminder.cli import app
from reminder.domain.outbox import Draft
from reminder.domain.payloads import Forged
from reminder.store.accounts import Accounts
from reminder.store.offices import BOT_NAME, DEAF, POLLED, Stores, deafness
from reminder.store.records import BACKED_UP
from tests.cli.test_people import NOW, PEOPLE, Terminal
from tests.conftest import ROOT
from tests.province.kit import plan_id
from tests.store.samples import set_next

PLAN = str(ROOT / "data/plan2024.toml")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A settings file, and no database yet."""
    monkeypatch.setenv("BOT_1", "123:abc")
    return Terminal(tmp_path, monkeypatch)


@pytest.fixture
def province(terminal: Terminal) -> Terminal:
    """Two wards, with one bot."""
    people = str(terminal.folder / "people.toml")
    for office in ("an-khe", "binh-an"):
        call = ("office", "add", office, "--name", f"Phường {office}", "--province", "Hoa Sen")
        terminal.run(*call, "--plan", PLAN, "--people", people)
    terminal.run("office", "account", "add", "bot-1", "--kind", "telegram", "--secret", "env:BOT_1")
    terminal.run("office", "account", "link", "an-khe", "bot-1")
    return terminal


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_office_is_added_with_its_plan_and_its_people(terminal: Terminal) -> None:
    said = terminal.run(
        *("office", "add", "an-khe", "--name", "Phường An Khê", "--province", "Hoa Sen"),
        *("--plan", PLAN, "--people", str(terminal.folder / "people.toml")),
    )
    assert said == (
        "Đã thêm Phường An Khê (an-khe): 1 kế hoạch, 3 cán bộ.\n"
        "Tiếp theo: reminder office account link an-khe TÀI-KHOẢN\n"
    )
    assert lines(terminal.run("office", "list", "--json")) == [
        {
            "id": "an-khe",
            "name": "Phường An Khê",
            "province": "Hoa Sen",
            "state": "active",
            "fault": "",
            "fault_since": None,
            "next_at": None,
            "made_at": "2024-01-30T09:00:00+07:00",
            "retired_at": None,
        }
    ]


def test_an_office_is_shown_with_its_texts_and_accounts(province: Terminal) -> None:
    assert province.run("office", "show", "an-khe") == (
        "Phường an-khe (an-khe), Hoa Sen\n"
        "Tình trạng: đang dùng\n"
        "Quét tới lúc: ngay bây giờ\n"
        "Văn bản: cchc-2024 (bản 1), people (bản 1)\n"
        "Kênh: telegram qua bot-1\n"
        "Tin: chưa có\n"
    )
    found = json.loads(province.run("office", "show", "binh-an", "--json"))
    assert (found["texts"], found["accounts"]) == ({"cchc-2024": 1, "people": 1}, {})


def test_a_fault_of_an_office_is_shown_to_its_operator(province: Terminal) -> None:
    with province.store() as store:
        Stores(store).settle("an-khe", NOW, NOW, fault="people:3: thiếu `id`", fault_since=NOW)
    said = province.run("office", "show", "an-khe")
    assert "Tình trạng: LỖI từ 09:00 30/01/2024: people:3: thiếu `id`\n" in said
    assert "LỖI" in province.run("office", "list")


def test_a_retired_office_keeps_its_records_and_is_served_no_more(province: Terminal) -> None:
    assert province.run("office", "retire", "an-khe") == "Chưa làm gì. Làm: thêm --yes.\n"
    province.run("office", "retire", "an-khe", "--yes")
    assert [one["id"] for one in lines(province.run("office", "list", "--json"))] == ["binh-an"]
    every = lines(province.run("office", "list", "--all", "--json"))
    assert [(one["id"], one["state"]) for one in every] == [
        ("an-khe", "retired"),
        ("binh-an", "active"),
    ]
    assert province.run("plan", "get", "people", "--office", "an-khe") == PEOPLE
    again = province.refused("office", "account", "link", "an-khe", "bot-1")
    assert again == "phường “an-khe” đã thôi dùng từ 09:00 30/01/2024"
    assert "đã có phường “an-khe” (thôi dùng)" in province.refused(
        "office", "add", "an-khe", "--name", "x"
    )
    for call in ("done 1c --by tp-1", "invite tp-1", "web-link tp-1", "test tp-1", "digest --send"):
        assert "đã thôi dùng" in province.refused(*call.split(), "--office", "an-khe")
    assert "Chưa ghi nhận" in province.run("log", "--office", "an-khe")


def test_the_doctor_knows_a_province_before_its_first_office(terminal: Terminal) -> None:
    """And while the database is away: it speaks of no single ward's plan and channels."""
    with terminal.config.open("a", encoding="utf-8") as file:
        file.write('[province]\noperators = ["quan-tri@tinh.vn"]\n')
    found = doctor(terminal)
    assert found["daemon"] == ("ok", "0 phường được quét đúng giờ.")
    assert {"plan", "people-file", "channels"} & found.keys() == set()


def test_an_account_is_listed_with_where_its_secret_is_and_never_with_the_secret(
    province: Terminal,
) -> None:
    said = province.run("office", "account", "list", "--json")
    assert "123:abc" not in said
    assert lines(said) == [
        {
            "id": "bot-1",
            "kind": "telegram",
            "secret": "env:BOT_1",
            "settings": {},
            "rate": 0,
            "offices": 1,
            "down_since": None,
            "down_reason": "",
            "last_poll": None,
            "deaf_since": None,
            "deaf_reason": "",
        }
    ]
    province.run("office", "account", "set", "bot-1", "--rate", "20", "--set", "bot_name=nhac_bot")
    (found,) = lines(province.run("office", "account", "list", "--json"))
    assert (found["rate"], found["settings"]) == (20, {"bot_name": "nhac_bot"})


def test_an_office_uses_one_account_a_channel(province: Terminal) -> None:
    add = ("office", "account", "add", "bot-2", "--kind", "telegram", "--secret", "env:BOT_1")
    province.run(*add)
    said = province.run("office", "account", "link", "an-khe", "bot-2")
    assert said == "Phường an-khe dùng telegram qua bot-2, thay bot-1.\n"
    said = province.run("office", "account", "unlink", "an-khe", "bot-2")
    assert said == "Phường an-khe thôi dùng bot-2.\n"
    again = province.refused("office", "account", "unlink", "an-khe", "bot-2")
    assert again == "phường “an-khe” không dùng tài khoản “bot-2”"


BAD = {
    "office add An-Khe --name x": "mã “An-Khe” không dùng được",
    "office add ../x --name x": "mã “../x” không dùng được",
    "office add an-khe --name x": "đã có phường “an-khe” (đang dùng)",
    "office add c --name x --people people.toml": "--people đi cùng --plan",
    f"office add c --name x --plan {PLAN} --plan {PLAN}": "có hai tệp",
    "office add c --name x --plan gone.toml": "gone.toml: không có tệp này",
    "office show an-kh": "không có phường “an-kh”; có phải là “an-khe”?",
    "office retire x": "không có phường “x”",
    "office account link an-khe bot-9": "không có tài khoản “bot-9”",
    "office account link x bot-1": "không có phường “x”",
    "office account add bot-1 --kind telegram --secret env:BOT_1": "đã có tài khoản “bot-1”",
    "office account add b --kind telegrm --secret env:BOT_1": "có phải là “telegram”?",
    "office account add b --kind telegram": "tài khoản b: thiếu bí mật (--secret)",
    "office account add b --kind telegram --secret env:NO": "không có biến môi trường ấy",
    "office account add b --kind telegram --secret file:/no/such": "không có tệp này",
    "office account add b --kind telegram --secret 123:abc": "bí mật phải ghi env:",
    "office account add b --kind telegram --secret env:BOT_1 --set token=1": "dùng --secret",
    "office account add b --kind email --set host": "phải ghi KHÓA=TRỊ",
    "office account add b --kind email --set host=h --set hots=1": "không có khóa “hots”",
    "office account add b --kind email --set host=h": "thiếu `sender`",
    "status --office x": "không có phường “x”",
    "status": "thêm --office MÃ (có: an-khe, binh-an; xem reminder office list)",
    "plan put people.toml --people": "thêm --office MÃ",
    "outbox list": "thêm --office MÃ",
    "done 1c --by tp-1": "thêm --office MÃ",
    "log --task 1c": "thêm --office MÃ",
    "reload": "khởi động lại các tiến trình",
    "web": "reminder run --role web",
}


def test_bad_input_gets_one_sentence(province: Terminal) -> None:
    wrong = {}
    for call, said in BAD.items():
        words = [str(province.folder / w) if w == "people.toml" else w for w in call.split()]
        told = province.refused(*words)
        if said not in told or "\n" in told or "123:abc" in told:
            wrong[call] = told
    assert wrong == {}


def test_a_faulty_file_adds_nothing(province: Terminal) -> None:
    wrong = province.folder / "wrong.toml"
    wrong.write_text(PEOPLE.replace("tu-phap", "tu-phapp"), "utf-8")
    call = ("office", "add", "c", "--name", "x", "--plan", PLAN, "--people", str(wrong))
    assert province.refused(*call).startswith(f"{wrong}:")
    assert "tu-phapp" in province.refused(*call)
    assert [one["id"] for one in lines(province.run("office", "list", "--json"))] == [
        "an-khe",
        "binh-an",
    ]


def test_a_database_of_one_office_takes_no_others(terminal: Terminal) -> None:
    """Its records would be nobody's; and there is no other office to choose."""
    terminal.run("done", "1c", "--by", "tp-1")
    said = terminal.refused("office", "add", "a", "--name", "x")
    assert "đang dùng cho một cơ quan" in said
    assert terminal.refused("status", "--office", "a") == (
        "cơ sở dữ liệu này chỉ có một cơ quan: bỏ --office"
    )


def test_what_a_command_does_for_one_office_another_does_not_see(province: Terminal) -> None:
    of_one, of_other = ("--office", "an-khe"), ("--office", "binh-an")
    province.run("done", "1c", "--by", "tp-1", *of_one)
    assert "1c" in province.run("log", "--task", "1c", *of_one)
    assert "1c" not in province.run("log", "--task", "1c", *of_other)
    opened = [json.loads(province.run("status", "--json", *o))["open"] for o in (of_one, of_other)]
    assert opened[0] == opened[1] - 1
    assert "tp-1" in province.run("invite", "tp-1", *of_one)
    assert "vp-1" in province.run("people", *of_other)


def test_plans_and_people_go_in_and_out_as_files(province: Terminal) -> None:
    more = PEOPLE + '\n[[person]]\nid = "tp-2"\nname = "Người mới"\nunit = "tu-phap"\n'
    file = province.folder / "more.toml"
    file.write_text(more, "utf-8")
    call = ("plan", "put", str(file), "--people", "--office", "an-khe", "--yes")
    assert "Người mới" in province.run(*call)
    assert province.run("plan", "get", "people", "--office", "an-khe") == more
    assert province.run("plan", "get", "people", "--office", "binh-an") == PEOPLE
    own = province.folder / "own.toml"
    own.write_text('[schedule]\nslot = "07:45"\n', "utf-8")
    province.run("plan", "put", str(own), "--own", "--office", "an-khe", "--yes")
    assert "07:45" in province.run("plan", "get", "office", "--office", "an-khe")
    own.write_text('[schedule]\nslot = "7h"\n', "utf-8")
    wrong = province.refused("plan", "put", str(own), "--own", "--office", "an-khe", "--yes")
    assert wrong.startswith(f"{own}:2: `slot` phải là giờ:phút")
    file.write_text(more.replace('"tu-phap"', '"tu-phapp"'), "utf-8")
    assert province.refused(*call).startswith(f"{file}:")
    table = province.folder / "t.csv"
    province.run("people", "export", "-o", str(table), "--office", "an-khe")
    assert "Người mới" in table.read_text("utf-8-sig")
    shown = province.run("plan", "show", "--unit", "tu-phap", "--office", "an-khe")
    assert "1c" in shown


def doctor(province: Terminal, *words: str) -> dict[str, tuple[str, str]]:
    """The verdict and the sentence by the check's name; the last of a name."""
    call = ["doctor", "--local", "--json", *words]
    result = CliRunner().invoke(app, [*call, "--config", str(province.config)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return {str(e["name"]): (str(e["verdict"]), str(e["sentence"])) for e in lines(result.stdout)}


def test_the_doctor_of_a_province_tells_of_all_offices_and_accounts(province: Terminal) -> None:
    """What fails by name, with the times that its processes have noted; never of a single ward."""
    province.run("office", "account", "add", "bot-2", "--kind", "telegram", "--secret", "env:BOT_1")
    found = doctor(province)
    assert {"plan", "people-file", "channels"} & found.keys() == set()
    names = ("daemon", "accounts", "queue", "clock", "operators", "account-unused")
    assert {name: found[name] for name in names} == {
        "daemon": ("ok", "2 phường được quét đúng giờ."),
        "accounts": ("ok", "2 tài khoản gửi và nhận được."),
        "queue": ("ok", "0 tin đang đến lượt gửi."),
        "clock": ("ok", "Đồng hồ các máy và của PostgreSQL khớp nhau."),
        "operators": (
            "warn", "Chưa ghi ai là người quản trị của tỉnh: không ai xem được trang của tỉnh.",
        ),
        "account-unused": ("warn", "Tài khoản chưa phường nào dùng: bot-2."),
    }  # fmt: skip
    with province.store() as store:
        stores = Stores(store)
        late = NOW - timedelta(minutes=6)
        stores.settle("an-khe", NOW, late, fault="kế hoạch hỏng", fault_since=NOW)
        set_next(stores, "an-khe", late)
        Accounts(store.database).down("bot-1", "mã bot bị thu hồi", NOW)
        stores.of("").set_meta(f"bot-1/{DEAF}", deafness("webhook hỏng", NOW))
        stores.note_clock("may-2", timedelta(seconds=-120), NOW)
        stores.note_clock("may-3", timedelta(seconds=90), NOW - timedelta(minutes=6))
        draft = Draft(
            slot=NOW,
            recipient="tp-1",
            channel="telegram",
            kind="notice",
            subject="x",
            payload=Forged(number=1),
            due_at=NOW - timedelta(minutes=11),
        )
        stores.of("an-khe").record([], unit_names={}, drafts=[draft], at=NOW)
    found = doctor(province)
    names = ("daemon", "office", "account-down", "account-deaf", "queue", "clock")
    assert {name: found[name] for name in names} == {
        "daemon": ("fault", "1 phường chờ quét, lâu nhất từ 08:54 30/01/2024."),
        "office": (
            "fault",
            "Phường an-khe (an-khe) không quét được từ 09:00 30/01/2024: kế hoạch hỏng",
        ),
        "account-down": (
            "fault",
            "Tài khoản bot-1 (telegram) không gửi được từ 09:00 30/01/2024: mã bot bị thu hồi",
        ),
        "account-deaf": (
            "fault",
            "Tài khoản bot-1 (telegram) không nhận được tin từ 09:00 30/01/2024: webhook hỏng",
        ),
        "queue": ("fault", "Tin chờ gửi đã hơn 10 phút: bot-1 1 tin."),
        "clock": (
            "warn",
            "Đồng hồ của máy may-2 chậm 120 giây so với đồng hồ của PostgreSQL, mà cả tỉnh theo.",
        ),
    }
    said = province.run("office", "account", "list", "--json")
    first = lines(said)[0]
    assert (first["deaf_since"], first["deaf_reason"]) == (
        "2024-01-30T09:00:00+07:00", "webhook hỏng",
    )  # fmt: skip


def test_the_doctor_of_one_office_looks_at_its_own_ledger_and_accounts(
    province: Terminal,
) -> None:
    """Not at the records of no office, nor for the daemon of a single ward."""
    province.run("done", "1c", "--by", "tp-1", "--office", "an-khe")
    found = doctor(province, "--office", "an-khe")
    assert found["database"] == ("ok", "Dữ liệu lành lặn; sổ ghi 1 việc còn nguyên chuỗi.")
    assert found["daemon"] == ("ok", "Phường an-khe (an-khe) được quét đúng giờ.")
    assert {"backup", "channels", "disk"} & found.keys() == set()
    found = doctor(province, "--office", "binh-an")
    assert found["channels"] == ("fault", "Phường chưa dùng tài khoản nào để gửi tin.")
    province.run("office", "retire", "binh-an", "--yes")
    assert doctor(province, "--office", "binh-an")["daemon"] == (
        "warn", "Phường binh-an đã thôi dùng: không nhắc, không nhận tin.",
    )  # fmt: skip
    assert "không có phường “xx”" in province.refused("doctor", "--office", "xx")


def test_the_status_of_an_office_tells_of_its_accounts(province: Terminal) -> None:
    with province.store() as store:
        store.set_meta(f"bot-1/{POLLED}", NOW.isoformat())
        store.set_meta(BACKED_UP, NOW.isoformat())
    found = json.loads(province.run("status", "--json", "--office", "an-khe"))
    at = "2024-01-30T09:00:00+07:00"
    assert (found["last_poll"], found["last_backup"]) == (at, at)
    assert "hỏi Telegram lần cuối: 09:00:00 30/01/2024" in province.run(
        "status", "--office", "an-khe"
    )


def test_an_invitation_has_the_link_of_the_bot_that_the_office_uses(province: Terminal) -> None:
    """Not of one that it had before; where nobody has heard its name, it is said how to set it."""
    call = ("invite", "tp-1", "--office", "an-khe")
    with province.store() as store:
        store.of("an-khe").set_meta("bot_name:telegram", "old_bot")
    assert "account set TÀI-KHOẢN --set bot_name=TÊN" in province.run(*call)
    with province.store() as store:
        store.set_meta(f"bot-1/{BOT_NAME}", "tinh_bot")
    assert "https://t.me/tinh_bot?start=" in province.run(*call)
    province.run("office", "account", "set", "bot-1", "--set", "bot_name=khac_bot")
    assert "https://t.me/khac_bot?start=" in province.run(*call)


def test_a_copy_counts_the_offices_and_the_entries_of_all(province: Terminal) -> None:
    for office in ("an-khe", "binh-an"):
        province.run("done", "1c", "--by", "tp-1", "--office", office)
    said = province.run("backup", str(province.folder / "copy.db"))
    assert f"{province.folder / 'copy.db'} (2 phường, 2 ghi nhận, " in said


def test_no_file_is_read_for_an_office_of_many(terminal: Terminal, postgres_url: str) -> None:
    """Where none is named, the plan that lies in the folder is not taken for anybody's."""
    text = terminal.config.read_text("utf-8")
    terminal.config.write_text(text.replace(terminal.url, postgres_url), "utf-8")
    terminal.run("office", "add", "an-khe", "--name", "x")
    for call in ("plan check", "plan show", "simulate --from 2024-01-01 --to 2024-01-02"):
        assert terminal.refused(*call.split()) == (
            "cơ sở dữ liệu này có 1 phường: thêm --office MÃ (có: an-khe; xem reminder office list)"
        )


def test_what_is_typed_is_timed_by_the_servers_clock(
    terminal: Terminal, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As what the roles do; this machine's own clock is two days ahead."""
    own = bootstrap.SystemClock.now
    ahead = timedelta(days=2)
    monkeypatch.setattr(bootstrap.SystemClock, "now", lambda clock: own(clock) + ahead)
    monkeypatch.setattr(bootstrap, "now", lambda: bootstrap.SystemClock().now())
    text = terminal.config.read_text("utf-8")
    terminal.config.write_text(text.replace(terminal.url, postgres_url), "utf-8")
    terminal.url = postgres_url
    today = datetime.now(UTC).date()
    plan = terminal.folder / "plan.toml"
    plan.write_text(Path(PLAN).read_text("utf-8").replace("2024", str(today.year)), "utf-8")
    people = str(terminal.folder / "people.toml")
    for office in ("first", "an-khe"):  # what makes the database one of many is not timed so
        given = ("--plan", str(plan), "--people", people)
        terminal.run("office", "add", office, "--name", "x", *given)
    terminal.run("note", "1c", "đang làm", "--by", "tp-1", "--office", "an-khe")
    plan.write_text(plan.read_text("utf-8").replace("phường", "Phường"), "utf-8")
    terminal.run("plan", "put", str(plan), "--yes", "--office", "an-khe")
    terminal.run("office", "retire", "an-khe", "--yes")
    with terminal.store() as opened:
        stores = Stores(opened)
        record, store = stores.office("an-khe"), stores.of("an-khe")
        assert record is not None
        assert record.retired_at is not None
        times = [recorded.event.at for recorded in store.events()]
        times += [version.at for version in store.versions(plan_id(plan.read_text("utf-8")))]
        times += [record.made_at, record.retired_at]
    assert [abs((at.date() - today).days) <= 1 for at in times] == [True] * 5
    assert "quét đúng giờ" in doctor(terminal)["daemon"][1]
