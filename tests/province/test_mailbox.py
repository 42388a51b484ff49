"""A mailbox of many offices, on a mail server that this project did not write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest

from reminder.channels.email.classify import Bounced, LeftUnread, read
from reminder.cli.transfer import export_office, import_office
from reminder.domain.tokens import Purpose, message_key, plus_address
from reminder.files.settings import InboxSection, Settings, StoreSection, load_settings
from reminder.province.mailbox import ManyOffices
from reminder.province.process import Province
from reminder.province.roles import ROLES, Process, open_province
from reminder.store.offices import Account, Stores
from reminder.store.records import SECRET
from tests import waiting
from tests.app.kit import SetClock
from tests.channels.email import replies
from tests.channels.email import test_course as course
from tests.channels.email.conftest import INBOX, PASSWORD, MailWorld, mail_devel, post
from tests.channels.email.replies import AUTHSERV_ID
from tests.fakes.blank import lay_blank, memory_store
from tests.people import officer
from tests.province.kit import (
    BEGUN,
    Clock,
    add_account,
    add_office,
    province_of,
)
from tests.services.world import at
from tests.waiting import within

__all__ = ["mail_devel", "post"]
pytestmark = pytest.mark.asyncio
AN = "an@example.vn"
PEOPLE = officer("an", "email")
until = partial(waiting.until, pause=0.1)  # what is waited for happens in another process


def link(stores: Stores, smtp: int, imap: int) -> None:
    """Two offices that send by one server and read one mailbox, and one officer of both."""
    sends = {"host": "127.0.0.1", "port": smtp, "security": "none", "sender": INBOX}
    reads = {"host": "127.0.0.1", "port": imap, "security": "none", "username": INBOX}
    reads |= {"address": INBOX, "authserv_id": AUTHSERV_ID, "poll_seconds": 1}
    mail = Account(id="mail", kind="email", secret="", settings=json.dumps(sends), made_at=BEGUN)
    assert stores.add_account(mail)
    add_account(stores, "box", "inbox", json.dumps(reads))
    for office in ("a", "b"):
        add_office(stores, office, people=PEOPLE, account="")
        stores.link(office, "email", "mail")
        stores.link(office, "inbox", "box")


def events(stores: Stores, office: str) -> list[str]:
    found = (recorded.event for recorded in stores.of(office).events())
    return [f"{each.kind.value} {each.key.task} {each.by}" for each in found if each.by]


@asynccontextmanager
async def serving(folder: Path, mail: MailWorld) -> AsyncIterator[Province]:
    """A process with all roles of these offices."""
    lay_blank(folder / "r.db")
    url = f"sqlite:///{(folder / 'r.db').as_posix()}"
    settings = replace(Settings(), store=StoreSection(url=url))
    province = open_province(settings, Clock(at("24/01", "08:00")))
    link(province.stores, mail.smtp_port, mail.imap_port)
    process = Process(province, ROLES)
    running = asyncio.create_task(process.run())
    try:
        yield province
    finally:
        process.stop.set()
        await within(running, "the process's end")


async def test_an_answer_counts_for_the_office_whose_mail_it_answers(
    tmp_path: Path, post: MailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the token alone: the two offices' mails are alike, and go to one address."""
    monkeypatch.setenv("BOX", PASSWORD)

    def nudges() -> list[EmailMessage]:
        return [m for m in post.mails(AN) if "1c" in str(m["Subject"])]

    async with serving(tmp_path, post) as province:
        stores = province.stores
        await post.until(lambda: len(nudges()) == 2)
        first, second = nudges()

        told: list[list[str]] = [[], []]

        async def recorded(offices: int) -> None:
            """Until so many offices have a record."""
            while offices > sum(map(bool, told)):
                told[:] = [await province.do(partial(events, stores, each)) for each in "ab"]
                await asyncio.sleep(0.05)

        post.hand_in(replies.gmail(first, "Dạ em báo cáo đã xong 1c ạ", AN), str(first["Reply-To"]))
        await within(asyncio.create_task(recorded(1)), "the first answer")
        assert sorted(told) == [[], ["done 1c an"]]
        post.hand_in(replies.gmail(second, "đã xong 1c ạ", AN), str(second["Reply-To"]))
        await within(asyncio.create_task(recorded(2)), "the second answer")
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 2)
        await post.until(lambda: len([m for m in post.mails(AN) if "Re:" in str(m["Subject"])]) > 1)
        assert told == [["done 1c an"], ["done 1c an"]]
        marks = await province.do(stores.of("").metas)
    assert {"box/inbox:mark", "box/inbox:last_look"} <= marks.keys()


async def test_an_answer_to_a_mail_that_a_ward_sent_before_it_moved_counts(
    tmp_path: Path, post: MailWorld
) -> None:
    """By its old address, in the mailbox that it brought along; it is confirmed in its thread."""
    config, here = course.settings(tmp_path, post), tmp_path / "tinh.toml"
    async with course.running(config, SetClock(at("24/01", "08:00"))):
        nudge = await course.nudged(post)
    lay_blank(tmp_path / "tinh.db")
    here.write_text(f'[store]\nurl = "sqlite:///{(tmp_path / "tinh.db").as_posix()}"\n', "utf-8")
    import_office(
        tmp_path / "r.db", office="00123", settings=config, secrets=tmp_path / "secrets",
        config=here,
    )  # fmt: skip
    province = open_province(load_settings(here, {}), Clock(at("25/01", "09:00")))
    process = Process(province, ROLES)
    running = asyncio.create_task(process.run())
    try:
        answer = replies.gmail(nudge, "Dạ em báo cáo đã xong 1c ạ", AN)
        post.hand_in(answer, str(nudge["Reply-To"]))

        def confirmed() -> list[EmailMessage]:
            return [m for m in post.mails(AN) if m["In-Reply-To"] == answer["Message-ID"]]

        await post.until(lambda: len(confirmed()) == 1)
        told = await province.do(partial(events, province.stores, "00123"))
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)
    finally:
        process.stop.set()
        await within(running, "the process's end")
    assert told == ["done 1c an"]
    assert str(nudge["Message-ID"]) in confirmed()[0]["References"]


async def test_an_answer_to_a_mail_that_the_province_sent_counts_once_its_office_has_left(
    tmp_path: Path, post: MailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The office takes along what has signed its mails, and no other office's."""
    monkeypatch.setenv("BOX", PASSWORD)
    here = tmp_path / "tinh.toml"
    here.write_text(f'[store]\nurl = "sqlite:///{(tmp_path / "r.db").as_posix()}"\n', "utf-8")
    async with serving(tmp_path, post) as province:
        await post.until(lambda: len(post.mails(AN)) >= 2)
        rows = await province.do(partial(province.stores.of("a").rows, limit=99))
    (mine,) = {row.provider_id for row in rows if row.draft.kind == "nudge" and row.provider_id}
    nudges = {str(mail["Message-ID"]): mail for mail in post.mails(AN)}
    nudge = nudges.pop(mine)
    (other,) = nudges.values()
    (tmp_path / "ward").mkdir()
    config = course.settings(tmp_path / "ward", post)
    (tmp_path / "ward" / "r.db").unlink()
    export_office("a", tmp_path / "ward" / "r.db", leave=True, config=here)
    async with course.running(config, SetClock(at("25/01", "09:00"))) as ward:
        for mail, text in ((other, "đã xong 2c ạ"), (nudge, "Dạ em báo cáo đã xong 1c ạ")):
            post.hand_in(replies.gmail(mail, text, AN), str(mail["Reply-To"]))
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)
        recorded = await course.events(ward)
    assert [one for one in recorded if " an " in one] == ["done 1c an email"]


def desk() -> tuple[ManyOffices, Stores]:
    """What judges the mails of two offices."""
    clock, stores = Clock(at("24/01", "08:00")), Stores(memory_store())
    link(stores, 25, 143)
    province = province_of(stores, clock)
    for office in ("a", "b"):
        province.cache.service(office)  # which binds the addresses of its people
    section = InboxSection(
        host="h", username=INBOX, address=INBOX, authserv_id=AUTHSERV_ID, trust="auth-results"
    )
    return ManyOffices(province, "box", section), stores


def issued(stores: Stores, office: str, purpose: Purpose, to: str = AN) -> EmailMessage:
    """A mail as the office has sent it, by its own secret."""
    secret = bytes.fromhex(stores.of(office).meta(SECRET) or "")
    day = at("24/01", "08:00").date()
    made = EmailMessage()
    address = plus_address(INBOX, secret, purpose, message_key(secret, "row"), to, day)
    made["Reply-To"] = made["X-MailFrom"] = address
    made["To"], made["Subject"], made["Message-ID"] = to, "Nhắc việc: 1c", "<x@example.vn>"
    made.set_content("Chào anh/chị.")
    return made


async def test_a_token_counts_by_its_own_offices_secret_alone() -> None:
    """Whoever else wrote, or whatever it names: nobody's answer; nor is a retired office's."""
    offices, stores = desk()
    now = at("24/01", "09:00")
    for office in ("a", "b"):
        mail = issued(stores, office, Purpose.REPLY)
        judged = offices.judged(read(replies.gmail(mail, "xong 1c", AN).as_bytes()), now)
        assert judged.fate.inbound.office == office  # type: ignore[union-attr]
        forged = offices.judged(
            read(replies.gmail(mail, "xong 1c", "ai@example.vn").as_bytes()), now
        )
        assert forged.service is None
        assert isinstance(forged.fate, LeftUnread)
        assert forged.fate.forged
        bounced = offices.judged(read(replies.bounce(issued(stores, office, Purpose.BOUNCE))), now)
        assert isinstance(bounced.fate, Bounced)
        assert bounced.service is not None
        assert bounced.service.office.id == office
    wrong = issued(stores, "a", Purpose.REPLY, to="chi@example.vn")
    judged = offices.judged(read(replies.gmail(wrong, "xong 1c", AN).as_bytes()), now)
    assert isinstance(judged.fate, LeftUnread)
    stores.retire_office("b", now)
    mail = issued(stores, "b", Purpose.REPLY)
    gone = offices.judged(read(replies.gmail(mail, "xong 1c", AN).as_bytes()), now)
    assert isinstance(gone.fate, LeftUnread)
