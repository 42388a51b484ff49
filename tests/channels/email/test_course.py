"""Nudge by mail, answer by mail: the wired daemon against an SMTP and IMAP server not ours."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest

from reminder.app.wiring import Program, program
from reminder.domain.outbox import RowState
from reminder.services.handle import Handling
from tests import waiting
from tests.app.kit import SetClock
from tests.channels.email import replies
from tests.channels.email.conftest import INBOX, PASSWORD, MailWorld, text_in
from tests.channels.email.replies import AUTHSERV_ID, GENUINE
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank
from tests.fakes.telegram import FakeTelegram
from tests.people import officer
from tests.services.world import at
from tests.waiting import within

AN, BINH, CHI = "an@example.vn", "binh@example.vn", "chi@example.vn"
SAID = "Dạ em báo cáo đã xong 1c ạ"
OFFICERS = officer("an", "email") + officer("chi", "email")


def settings(folder: Path, post: MailWorld, inbox: str = "", people: str = OFFICERS) -> Path:
    lay_blank(folder / "r.db")
    (folder / "people.toml").write_text(people, encoding="utf-8")
    path = folder / "reminder.toml"
    inbox = inbox or f'authserv_id = "{AUTHSERV_ID}"'
    path.write_text(
        f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "sqlite:///{(folder / "r.db").as_posix()}"
[email]
host = "127.0.0.1"
port = {post.smtp_port}
security = "none"
sender = "{INBOX}"
[inbox]
host = "127.0.0.1"
port = {post.imap_port}
security = "none"
username = "{INBOX}"
password = "{PASSWORD}"
address = "{INBOX}"
poll_seconds = 1
{inbox}
""",
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def running(config: Path, clock: SetClock) -> AsyncIterator[Program]:
    wired = program(config, clock, tick_seconds=0.1)
    task = asyncio.create_task(wired.run())
    try:
        yield wired
    finally:
        wired.daemon.stop()
        await within(task, "the daemon's end")


until = partial(waiting.until, pause=0.1)  # what is waited for happens in another process


async def events(wired: Program) -> list[str]:
    kept = await wired.daemon.do(wired.store.events)
    return [f"{r.event.kind.value} {r.event.key.task} {r.event.by} {r.event.channel}" for r in kept]


async def nudged(post: MailWorld, person: str = AN) -> EmailMessage:
    await post.until(lambda: any("1c" in str(m["Subject"]) for m in post.mails(person)))
    return next(m for m in post.mails(person) if "1c" in str(m["Subject"]))


@pytest.fixture
def clock() -> SetClock:
    return SetClock(at("24/01", "08:00"))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "client",
    [
        replies.gmail,
        pytest.param(replies.outlook, marks=pytest.mark.thorough),
        pytest.param(replies.iphone, marks=pytest.mark.thorough),
    ],
)
async def test_a_reply_closes_and_is_confirmed_in_its_thread(
    tmp_path: Path, post: MailWorld, clock: SetClock, client: Callable[..., EmailMessage]
) -> None:
    """Closed once, however often it comes; confirmed with how to undo; undone by answering that."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        assert "xong 1c" in text_in(nudge)
        assert "Trả lời ngay thư này" in text_in(nudge)
        clock.moment = at("24/01", "09:12")
        reply = client(nudge, SAID, AN)
        post.hand_in(reply, str(reply["To"]))
        await post.until(lambda: len(post.mails(AN)) == 2)
        assert await events(wired) == ["done 1c an email"]
        confirmed = post.mails(AN)[1]
        assert (confirmed["In-Reply-To"], confirmed["Subject"]) == (
            reply["Message-ID"],
            f"Re: {nudge['Subject']}",
        )
        assert str(nudge["Message-ID"]) in confirmed["References"]
        assert "Đã ghi 1c" in text_in(confirmed)
        assert "hoàn tác 1c" in text_in(confirmed)
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)

        post.hand_in(reply, str(reply["To"]))
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 2)
        assert (await events(wired), len(post.mails(AN))) == (["done 1c an email"], 2)

        clock.moment = at("24/01", "09:20")
        undo = client(confirmed, "Hoàn tác 1c giúp em", AN)
        post.hand_in(undo, str(undo["To"]))
        await post.until(lambda: len(post.mails(AN)) == 3)
        assert (await events(wired))[1:] == ["undone 1c an email"]
        assert post.mails(INBOX) == []


@pytest.mark.asyncio
async def test_what_is_no_answer_changes_nothing(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """“chưa xong” stays open and is answered; an out-of-office is neither."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        away = replies.out_of_office(nudge, AN)
        post.hand_in(away, str(away["To"]))
        await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)
        not_done = replies.gmail(nudge, "Dạ em chưa xong 1c ạ", AN)
        post.hand_in(not_done, str(not_done["To"]))
        await post.until(lambda: len(post.mails(AN)) == 2)
        assert "chưa xong" in text_in(post.mails(AN)[1])
        assert "done 1c an email" not in await events(wired)


@pytest.mark.asyncio
async def test_a_mail_with_lost_letters_closes_nothing_is_answered_and_stays_unread(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """Its sender is asked once; a person sees the mail. Its Message-ID with other words acts."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        lost = replies.head(nudge, AN)
        lost.set_content("Em ch\ufffda xong 1c", cte="8bit")
        post.hand_in(lost, str(lost["To"]))
        await post.until(lambda: len(post.mails(AN)) == 2)
        await until(lambda: wired.store.meta("inbox:unknown") == "1")
        assert "done 1c an email" not in await events(wired)
        again = replies.gmail(nudge, SAID, AN)
        again.replace_header("Message-ID", str(lost["Message-ID"]))
        post.hand_in(again, str(again["To"]))
        await post.until(lambda: len(post.mails(AN)) == 3)
        assert (await events(wired))[-1] == "done 1c an email"
        assert len(post.mails(INBOX, which="UNSEEN")) == 1


@pytest.mark.asyncio
async def test_an_answer_that_a_fault_keeps_from_being_taken_is_told_and_counted(
    tmp_path: Path, post: MailWorld, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is asked to send it again, and the mail stays for a person."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)

        def slips(*_: object) -> None:
            raise LookupError("a slip that nobody foresaw")

        monkeypatch.setattr(Handling, "receive", slips)
        reply = replies.gmail(nudge, SAID, AN)
        post.hand_in(reply, str(reply["To"]))
        await post.until(lambda: len(post.mails(AN)) == 2)
        assert text_in(post.mails(AN)[1]).startswith("Chưa ghi được tin vừa rồi: máy gặp lỗi.")
        assert await wired.daemon.do(lambda: wired.store.meta("not_taken")) == "1"
        assert len(post.mails(INBOX, which="UNSEEN")) == 1


@pytest.mark.asyncio
async def test_forged_mail_changes_nothing_and_is_counted_and_said(
    tmp_path: Path, post: MailWorld, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Another's token, a foreign host's results, none, an altered token: unread, unanswered."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        foreign = replies.gmail(nudge, SAID, AN, results="mx.evil.example; dmarc=pass")
        failed = replies.gmail(nudge, SAID, AN, results=f"{AUTHSERV_ID}; dmarc=fail")
        failed["Authentication-Results"] = GENUINE  # the sender's own, below the true one
        bare = replies.gmail(nudge, SAID, AN, results="")
        another = replies.gmail(nudge, SAID, CHI)
        stranger = replies.gmail(nudge, SAID, "la@example.vn")
        altered = replies.gmail(nudge, SAID, AN)
        to = str(nudge["Reply-To"])
        altered.replace_header("To", to[:25] + ("a" if to[25] != "a" else "b") + to[26:])
        plain = replies.gmail(nudge, SAID, AN)
        plain.replace_header("To", INBOX)
        mails = (foreign, failed, bare, another, stranger, altered, plain)
        with caplog.at_level(logging.WARNING):
            for mail in mails:
                post.hand_in(mail, str(mail["To"]))
            done = replies.gmail(nudge, "chưa xong 1c", AN)
            post.hand_in(done, str(done["To"]))
            await post.until(lambda: len(post.mails(AN)) == 2)
            recall = wired.store.meta
            await until(lambda: recall("inbox:unknown") == str(len(mails)))
        assert await wired.daemon.do(lambda: recall("inbox:forged")) == "6"
        assert "done 1c an email" not in await events(wired)
        assert len(post.mails(INBOX, which="UNSEEN")) == len(mails)
        assert sum("left unread" in record.message for record in caplog.records) == len(mails)


@pytest.mark.asyncio
async def test_with_token_trust_the_address_and_the_sender_suffice(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """For servers without results; letter case is nothing; a bare “xong” means the mail's task."""
    config = settings(tmp_path, post, inbox='trust = "token"')
    async with running(config, clock) as wired:
        nudge = await nudged(post)
        reply = replies.iphone(nudge, "Dạ xong rồi ạ", AN.upper(), results="")
        local, _, domain = str(nudge["Reply-To"]).partition("@")
        reply.replace_header("To", f"nhac{local[4:].upper()}@{domain}")
        post.hand_in(reply, str(reply["To"]))
        await post.until(lambda: len(post.mails(AN)) == 2)
        assert await events(wired) == ["done 1c an email"]


@pytest.mark.asyncio
async def test_a_bounce_goes_on_by_the_next_channel_and_is_told_as_a_claim(
    tmp_path: Path, post: MailWorld, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The envelope's sender names the recipient: Telegram next, the office told, the mail returned.

    One with the Message-ID alone, and a text from a postmaster, change nothing and are counted.
    """
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    people = OFFICERS.replace('["email"]', '["email", "telegram"]', 1)
    config = settings(tmp_path, post, people=people)
    async with FakeTelegram() as telegram:
        text = config.read_text(encoding="utf-8")
        config.write_text(
            f'{text}[telegram]\ntoken = "{telegram.token}"\nbase_url = "{telegram.base_url}"\n',
            encoding="utf-8",
        )
        telegram.start(11)
        async with running(config, clock) as wired:
            await wired.daemon.do(lambda: wired.store.bind("an", "telegram", "11", clock.now()))
            nudge = await nudged(post)
            assert str(nudge["X-MailFrom"]).startswith("nhac+b")
            envelope = str(nudge["X-MailFrom"])
            without = replies.bounce(nudge).replace(envelope.encode(), INBOX.encode())
            post.hand_in(without, INBOX, sender="")
            words = f"From: postmaster@x.example\r\nTo: {INBOX}\r\nSubject: Returned mail\r\n\r\n"
            said = f"<{AN}>: 550 5.1.1 user unknown\r\nMessage-ID: {nudge['Message-ID']}\r\n"
            post.hand_in((words + said).encode(), INBOX, sender="")
            await until(lambda: wired.store.meta("inbox:bounces") == "2")
            post.hand_in(replies.bounce(nudge), envelope, sender="")
            await telegram.until(lambda: any("1c" in m.text for m in telegram.sent_to(11)))
            await post.until(lambda: any(AN in text_in(m) for m in post.mails(CHI)))
            notice = next(m for m in post.mails(CHI) if AN in text_in(m))
            assert "không có hộp thư này (5.1.1)" in text_in(notice)
            assert "Nơi báo: MAILER-DAEMON@example.vn" in text_in(notice)
            await post.until(lambda: len(post.mails(INBOX, "Da-xu-ly")) == 1)
            addresses, rows = await wired.daemon.do(
                lambda: (wired.store.addresses(), wired.store.rows(states=[RowState.RETURNED]))
            )
            assert [a.value for a in addresses if a.dead_since] == []
            assert [(row.draft.recipient, row.draft.channel) for row in rows] == [("an", "email")]


@pytest.mark.asyncio
async def test_an_answer_of_a_colleague_is_disowned_by_a_tap(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """An is shown what was taken in An's name; the link's mail takes it back, the office hears."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        forged = replies.gmail(nudge, SAID, AN)  # the same domain, somebody else's login
        post.hand_in(forged, str(forged["To"]))
        await post.until(lambda: any("Đã ghi" in text_in(m) for m in post.mails(AN)))
        receipt = next(m for m in post.mails(AN) if "Đã ghi" in text_in(m))
        assert "Anh/chị không gửi câu trả lời này?" in text_in(receipt)
        html = receipt.get_body(("html",))
        assert html is not None
        link = re.search(r'href="mailto:([^"?]+)\?subject=([^"&]+)&amp;body=', html.get_content())
        assert link is not None
        assert link[1] == str(receipt["Reply-To"])
        tapped = replies.head(receipt, AN)
        del tapped["Subject"], tapped["In-Reply-To"], tapped["References"]
        tapped["Subject"] = unquote(link[2])
        tapped.set_content(unquote(link[2]))
        post.hand_in(tapped, link[1])
        await post.until(lambda: any("không gửi điều" in text_in(m) for m in post.mails(CHI)))
        assert [e.partition(" ")[0] for e in await events(wired)] == ["done", "undone"]


@pytest.mark.asyncio
async def test_the_office_does_all_by_mail(
    tmp_path: Path, post: MailWorld, clock: SetClock
) -> None:
    """An asks for more time, the office approves by answering that mail, An hears it."""
    async with running(settings(tmp_path, post), clock) as wired:
        nudge = await nudged(post)
        clock.moment = at("24/01", "09:00")
        ask = replies.gmail(nudge, "gia hạn 1c 05/02 chờ số liệu", AN)
        post.hand_in(ask, str(ask["To"]))
        await post.until(lambda: any("gia hạn" in text_in(m) for m in post.mails(CHI)))
        request = next(m for m in post.mails(CHI) if "gia hạn" in text_in(m))
        before = len(post.mails(CHI))
        unproved = replies.outlook(request, "đồng ý 1c", CHI)
        post.hand_in(unproved, str(unproved["To"]))
        await post.until(lambda: len(post.mails(CHI)) > before)
        assert "chỉ cho biết tên miền người gửi" in text_in(post.mails(CHI)[-1])
        logged_in = f"{GENUINE}; auth=pass smtp.auth={CHI}"
        answer = replies.outlook(request, "đồng ý 1c", CHI, results=logged_in)
        post.hand_in(answer, str(answer["To"]))
        await post.until(lambda: any("đồng ý" in text_in(m) for m in post.mails(AN)))
        assert [e.partition(" ")[0] for e in await events(wired)][-1:] == ["extension-granted"]
        listed = replies.iphone(nudge, "/viec", AN)
        before = len(post.mails(AN))
        post.hand_in(listed, str(listed["To"]))
        await post.until(lambda: len(post.mails(AN)) > before)
        assert "05/02" in text_in(post.mails(AN)[-1])
