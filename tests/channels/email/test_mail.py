"""The mail channel over SMTP, against aiosmtpd in the same process."""

from __future__ import annotations

import email
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.channels.email.content import ANSWERABLE, ONE_WAY, mail_bytes
from reminder.domain.outbox import Outbound
from reminder.domain.tokens import (
    MailIdentity,
    Purpose,
    Verdict,
    message_id,
    message_key,
    read_plus_address,
    verify_token,
)
from tests.channels.email.mailline import AT, HELLO, PERSON, SENDER, known, refusal, sent
from tests.channels.email.mailserver import Post
from tests.conftest import examples

INBOX = "nhac-tra-loi@phuong.example"


def read(post: Post) -> EmailMessage:
    (envelope,) = post.received
    assert isinstance(envelope.content, bytes)
    return parsed(envelope.content)


def parsed(content: bytes) -> EmailMessage:
    mail = email.message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_mail_arrives_in_both_forms_with_the_headers_of_a_machine() -> None:
    """Text and HTML say the same; nobody's out-of-office answers; the Message-ID comes back."""
    post = Post()
    number = sent(post)
    mail = read(post)
    headers = dict(mail.items())
    kind = headers.pop("Content-Type")
    assert kind.startswith("multipart/alternative")
    assert headers == {
        "From": "Nhắc việc <nhac@phuong.example>",
        "To": PERSON,
        "Subject": "Nhắc việc Thứ Sáu 26/01: 1c",
        "Date": "Fri, 26 Jan 2024 08:00:00 +0700",
        "Message-ID": number,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
    }
    assert part(mail, "plain") == f"Chào anh/chị.\nViệc <1c> & 1đ\n\n-- \n{ONE_WAY}\n"
    assert "Việc &lt;1c&gt; &amp; 1đ" in part(mail, "html")
    assert (post.received[0].mail_from, post.received[0].rcpt_tos) == (SENDER, [PERSON])


def test_where_to_answer_instead_of_by_mail() -> None:
    """A mail that takes no answers names the channels that do, and no other."""
    mail = mail_bytes(
        HELLO,
        sender=SENDER,
        sender_name="Nhắc việc",
        recipient=PERSON,
        identity="<1@phuong.example>",
        reply_to="",
        at=AT,
        elsewhere="Telegram",
    )
    assert part(parsed(mail), "plain").endswith(
        "Thư tự động, không nhận thư trả lời. Xin nhắn cho máy qua Telegram, hoặc nhờ người theo "
        "dõi kế hoạch ghi giúp.\n"
    )
    assert "Telegram" not in ONE_WAY


def test_the_message_id_is_the_rows_own_at_every_attempt() -> None:
    """The same for a repeat, another for another row or person; not to be guessed."""
    assert sent(Post()) == sent(Post())
    assert sent(Post()) != sent(Post(), key="row-2")
    key = message_key(b"bi-mat", "row-1")
    assert sent(Post()) == message_id(b"bi-mat", key, PERSON, SENDER.rpartition("@")[2])


def test_answers_and_bounces_find_their_way_where_a_mailbox_is_read() -> None:
    """Reply-To and the envelope's sender prove the recipient; the footer invites an answer."""
    post = Post()
    sent(post, identity=MailIdentity(secret=b"bi-mat", inbox=INBOX))
    for address, purpose in (
        (read(post)["Reply-To"], Purpose.REPLY),
        (post.received[0].mail_from, Purpose.BOUNCE),
    ):
        assert address is not None
        token = read_plus_address(address, INBOX)
        assert token is not None
        assert (token.purpose, token.message) == (purpose, message_key(b"bi-mat", "row-1"))
        assert verify_token(token, b"bi-mat", PERSON, AT.date()) is Verdict.GOOD
        assert len(address.partition("@")[0]) <= 64
    assert ANSWERABLE in part(read(post), "plain")
    assert ANSWERABLE in part(read(post), "html")


def test_an_answer_goes_into_the_thread_of_the_mail_it_answers() -> None:
    """In-Reply-To and References name both mails, Outlook's long ids unfolded; odd ids do not."""
    long = f"<{'A' * 60}@{'b' * 60}.outlook.example>"
    message = replace(HELLO, reply_to=long, thread=("<a@b>", "x y", ""))
    post = Post()
    sent(post, message)
    assert (read(post)["In-Reply-To"], read(post)["References"]) == (long, f"<a@b> {long}")
    assert f"In-Reply-To: {long}\r\n".encode() in (post.received[0].content or b"")
    post = Post()
    sent(post, replace(HELLO, reply_to="<a@b>\r\nBcc: x@y", thread=("<a@b>",)))
    assert (read(post)["In-Reply-To"], read(post)["Bcc"]) == (None, None)


def test_attachments_and_headers_go_along() -> None:
    """A file keeps its Vietnamese name; a header of ours can't be replaced."""
    message = Outbound(
        subject="Tổng hợp",
        html="x",
        text="x",
        attachments=(("Kế hoạch.xlsx", "application/vnd.ms-excel", b"\x00\x01"),),
        headers=(("List-Unsubscribe", "<mailto:x@y>"), ("To", "la@khac"), ("X y", "z")),
    )
    post = Post()
    sent(post, message)
    mail = read(post)
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (
        "Kế hoạch.xlsx",
        "application/vnd.ms-excel",
    )
    assert file.get_payload(decode=True) == b"\x00\x01"
    assert mail["List-Unsubscribe"] == "<mailto:x@y>"
    assert mail.get_all("To") == [PERSON]


TEXT = st.text(max_size=200) | st.sampled_from(
    ["a\r\nBcc: x@y", "=?utf-8?q?=0aBcc:_x@y?=", "\u2028Bcc: x", "a\x00b", "e\u0301", "🙂" * 99]
)


@settings(max_examples=examples(80), deadline=None)
@given(subject=TEXT, name=TEXT, header=TEXT, sender=TEXT)
def test_no_text_adds_a_header(subject: str, name: str, header: str, sender: str) -> None:
    """Whatever stands in a title, a file name or a header: the reader finds ours, and no other."""
    message = Outbound(
        subject=subject,
        html="x",
        text="x",
        attachments=((name, "text/plain", b"x"),),
        headers=(("X-Note", header), (name, header)),
    )
    mail = mail_bytes(
        message,
        sender=SENDER,
        sender_name=sender,
        recipient=PERSON,
        identity="<a@b>",
        reply_to="",
        at=AT,
    )
    parsed = email.message_from_bytes(mail, policy=default)
    assert {key.lower() for key in parsed} - {name.lower()} <= {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version",
        "x-auto-response-suppress", "content-type", "x-note",
    }  # fmt: skip
    assert parsed.get_all("To") == [PERSON]
    assert len(parsed["From"].addresses) == 1
    assert "bcc" not in {key.lower() for key in parsed}


@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize(
    ("limit", "files", "html"),
    [(100_000, True, True), (30_000, False, True), (1_800, False, False)],
)
def test_a_mail_that_is_too_large_goes_without_files_then_as_text(
    limit: int, *, files: bool, html: bool, is_announced: bool
) -> None:
    """The server tells its limit (RFC 1870), or refuses with 552; the mail says what it lacks."""
    sheet = ("tong-hop.xlsx", "application/octet-stream", b"x" * 30_000)
    message = replace(HELLO, attachments=(sheet,), mail_html=f"<p>{'Việc ' * 400}<!--footer--></p>")
    post = Post(limit=0 if is_announced else limit)
    sent(post, message, server={"size": limit} if is_announced else {})
    mail = read(post)
    assert bool(list(mail.iter_attachments())) is files
    assert (mail.get_body(("html",)) is not None) is html
    assert ("không kèm tệp" in part(mail, "plain")) is not files
    if html:
        assert ("không kèm tệp" in part(mail, "html")) is not files


def test_a_mail_that_no_form_makes_small_enough_is_refused_for_its_size() -> None:
    """For good; the channel is not blamed."""
    assert known(refusal(Post(limit=10))) == {"retry": False}
    assert known(refusal(Post(mail="552 5.3.4 message too big"))) == {"retry": False}


def test_a_mail_without_its_files_says_where_they_are_seen() -> None:
    """On the office's page, where it is on."""
    sheet = ("tong-hop.xlsx", "application/octet-stream", b"x" * 30_000)
    post = Post(limit=10_000)
    sent(post, replace(HELLO, attachments=(sheet,)), page="https://nv.example")
    found = part(read(post), "plain")
    assert "Xem đầy đủ ở trang theo dõi: https://nv.example/bang" in found
