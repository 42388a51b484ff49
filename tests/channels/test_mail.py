"""The mail channel over SMTP, against aiosmtpd in the same process."""

from __future__ import annotations

import base64
import email
from email.message import EmailMessage
from email.policy import default

from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.channels.mail import MailIdentity
from reminder.channels.mailmessage import ANSWERABLE, ONE_WAY, build, message_id
from reminder.ports import Outbound
from tests.channels.mailline import (
    AT,
    PERSON,
    SENDER,
    sent,
)
from tests.channels.mailserver import Post


def read(post: Post) -> EmailMessage:
    (envelope,) = post.received
    assert isinstance(envelope.content, bytes)
    parsed = email.message_from_bytes(envelope.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


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


def test_the_message_id_is_the_rows_own_at_every_attempt() -> None:
    """The same for a repeat, another for another row or person; not to be guessed."""
    assert sent(Post()) == sent(Post())
    ids = {
        message_id(secret, key, person, "phuong.example")
        for secret in (b"a", b"b")
        for key in ("row-1", "row-2")
        for person in ("an@x", "binh@x")
    }
    assert len(ids) == 8
    local = sent(Post()).strip("<>").partition("@")[0]
    assert local.startswith("row-1.")
    assert len(base64.b32decode(local.partition(".")[2].upper())) * 8 >= 80


def test_answers_and_bounces_find_their_way_where_addresses_are_given() -> None:
    """Reply-To and the envelope's sender name the recipient; the footer invites an answer."""
    identity = MailIdentity(
        secret=b"bi-mat",
        reply_to=lambda who, key: f"nhac+{key}.{who.partition('@')[0]}@phuong.example",
        bounce_to=lambda who, _: f"tra-lai+{who.replace('@', '=')}@phuong.example",
    )
    post = Post()
    sent(post, identity=identity)
    assert read(post)["Reply-To"] == "nhac+row-1.an@phuong.example"
    assert post.received[0].mail_from == "tra-lai+an=phuong.example@phuong.example"
    assert ANSWERABLE in part(read(post), "plain")
    assert ANSWERABLE in part(read(post), "html")


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


@settings(max_examples=150, deadline=None)
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
    mail = build(
        message,
        sender=SENDER,
        sender_name=sender,
        recipient=PERSON,
        identity="<a@b>",
        reply_to="",
        at=AT,
    )
    parsed = email.message_from_bytes(mail.as_bytes(), policy=default)
    assert {key.lower() for key in parsed} - {name.lower()} <= {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version",
        "x-auto-response-suppress", "content-type", "x-note",
    }  # fmt: skip
    assert parsed.get_all("To") == [PERSON]
    assert len(parsed["From"].addresses) == 1
    assert "bcc" not in {key.lower() for key in parsed}
