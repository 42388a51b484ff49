"""The operators of a province are mailed what fails for long, once, and once that it is over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from reminder.channels.email.content import AUTOMATIC
from reminder.files.settings import DeliverySection, ProvinceSection, Settings
from reminder.province.operators import NAMED, OPERATORS, Told, Trouble, news, part, troubles
from reminder.store.accounts import Accounts
from reminder.store.offices import DEAF, Account, Stores, deafness
from tests.channels.email.mailserver import Post, serving
from tests.province.kit import BEGUN, SETTINGS, Clock, add_account, add_office, province_of
from tests.store.samples import draft

OPERATOR, OTHER = "quan-tri@tinh.vn", "chanh-vp@tinh.vn"
MINUTE = timedelta(minutes=1)
PATIENCE = 15 * MINUTE


def trouble(of: str, since: datetime) -> Trouble:
    return Trouble(name="office", of=of, since=since, sentence=f"{of} hỏng", remedy="sửa")


def test_a_trouble_is_told_once_after_a_while_and_its_end_once() -> None:
    """At most a mail an hour; what comes and goes between two mails is not told."""
    told, said = Told(), []
    failing = {
        0: ["a"], 14: ["a"], 15: ["a", "b"], 40: ["a", "b", "c"], 60: ["a", "b"], 76: ["b"],
        80: ["a", "b"], 140: ["a", "b"], 200: [], 300: [],
    }  # fmt: skip
    since: dict[str, datetime] = {}
    for minute, names in failing.items():
        now = BEGUN + minute * MINUTE
        since = {name: since.get(name, now) for name in names}
        found = news(
            Told.read(told.written()), [trouble(*one) for one in since.items()], now, PATIENCE
        )
        if found is not None:
            said.append((minute, [one.of for one in found.begun], list(found.over)))
            told = Told(mailed=now, known=found.known)
    assert said == [
        (15, ["a"], []),
        (76, ["b"], ["a hỏng"]),
        (140, ["a"], []),
        (200, [], ["b hỏng", "a hỏng"]),
    ]  # fmt: skip
    assert Told.read("[1") == Told.read("[]") == Told.read(None) == Told()


def test_a_mail_names_some_and_counts_the_others() -> None:
    many = [trouble(f"{n:05}", BEGUN) for n in range(NAMED + 2)]
    found = news(Told(known={many[0].key: "x"}), many, BEGUN + PATIENCE, PATIENCE)
    assert found is not None
    message = found.message("Hoa Sen", "https://tinh.vn")
    assert message.subject == f"Nhắc việc Hoa Sen: {NAMED + 1} trục trặc"
    first, *told, last = message.text.splitlines()[: 2 * NAMED + 2]
    assert (first, told[:2], last) == (
        "Đang có trục trặc:", ["• 00001 hỏng", "  → sửa"], "• và 1 trục trặc nữa",
    )  # fmt: skip
    before, _, where = message.text.splitlines()[2 * NAMED + 3 :]
    assert before == "Còn 1 trục trặc đã báo trước đây, chưa hết."
    assert where.startswith("Xem mọi trục trặc: https://tinh.vn hoặc reminder doctor.")


def test_what_fails_is_of_accounts_and_offices(stores: Stores) -> None:
    """An account that refuses is named by that alone, not by what waits for it as well."""
    add_account(stores, "other")
    for office, account in (("a", "bot"), ("b", "other")):
        add_office(stores, office, account=account)
        stores.of(office).record(
            [], unit_names={}, drafts=[draft(slot=BEGUN, due_at=BEGUN)], at=BEGUN
        )
    stores.settle("b", BEGUN, BEGUN, fault="plan.toml: dòng 3", fault_since=BEGUN)
    stores.of("").set_meta(f"bot/{DEAF}", deafness("webhook hỏng", BEGUN))
    later = BEGUN + 2 * MINUTE
    Accounts(stores.database).down("bot", "mã bot bị thu hồi", later)
    assert [one.sentence for one in troubles(stores, BEGUN + 31 * MINUTE)] == [
        "Tài khoản bot (telegram) không nhận được tin từ 07:00 31/01/2024: webhook hỏng",
        "Tài khoản other còn 1 tin chờ gửi từ 07:00 31/01/2024",
        "Phường b (b) không quét được từ 07:00 31/01/2024: plan.toml: dòng 3",
        "Tài khoản bot (telegram) không gửi được từ 07:02 31/01/2024: mã bot bị thu hồi",
    ]


@pytest.mark.asyncio
async def test_the_mail_goes_by_an_account_that_works(stores: Stores) -> None:
    """To each operator; where none works, it is tried again until one does."""
    post, clock = Post(), Clock()
    settings = replace(
        SETTINGS,
        province=ProvinceSection(name="Hoa Sen", operators=(OPERATOR, OTHER)),
        delivery=DeliverySection(tell_down_after=20),
    )
    province = province_of(stores, clock, settings)
    made = part(province)
    look = made.handlers[OPERATORS]
    Accounts(stores.database).down("bot", "mã bot bị thu hồi", clock.moment)
    for minutes in (19, 1):  # nobody is written to before, and by no account
        clock.moment += minutes * MINUTE
        await look("")
    async with serving(post) as port:
        for name, where in (("first", 1), ("second", port)):
            values = {"host": "127.0.0.1", "port": where, "security": "none", "sender": "m@t.vn"}
            mail = Account(
                id=name, kind="email", secret="", settings=json.dumps(values), made_at=BEGUN
            )
            assert stores.add_account(mail)
        for _ in range(2):
            await look("")
        Accounts(stores.database).up("bot")
        for minutes in (59, 1, 61):
            clock.moment += minutes * MINUTE
            await look("")
    mails = []
    for each in post.received:
        assert isinstance(each.content, bytes)
        mails.append(message_from_bytes(each.content, policy=default))
    assert [(mail["To"], mail["Subject"]) for mail in mails] == [
        (to, f"Nhắc việc Hoa Sen: {what}")
        for what in ("1 trục trặc", "đã hết trục trặc")
        for to in (OPERATOR, OTHER)
    ]
    body = mails[0].get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines()[:3] == [
        "Đang có trục trặc:",
        "• Tài khoản bot (telegram) không gửi được từ 07:00 31/01/2024: mã bot bị thu hồi",
        "  → sửa rồi máy tự thử lại; đổi: reminder office account set bot",
    ]
    assert body.get_content().splitlines()[-2:] == ["-- ", AUTOMATIC]


def test_nobody_is_written_to_where_no_operator_is_named(stores: Stores) -> None:
    assert not part(province_of(stores, Clock(), Settings())).handlers
