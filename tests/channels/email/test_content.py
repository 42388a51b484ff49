"""The bytes of a mail are those that email.message would write."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from unicodedata import normalize

from hypothesis import example, given
from hypothesis import strategies as st

from reminder.channels.email.content import ONE_WAY, _phrase, mail_bytes
from reminder.domain.calendar import local
from reminder.domain.outbox import Outbound

AT = datetime(2024, 1, 1, tzinfo=UTC)
SENDER = "nhac@phuong.example"
BOUNDARY = re.compile(rb"={15}\d{19}==")
TEXT = st.text(st.sampled_from("abcđếợ Ạ<&=?_.-/()\"'\\,;:@\n\r\t\u2028\x0b#²5"), max_size=300)
NAMES = st.text(st.sampled_from('Nhắc việc,.()"<>@UBND=?'), min_size=1, max_size=40)
ADDRESSES = st.from_regex(r"[a-z][a-z0-9.+-]{0,60}[a-z]@[a-z]{1,20}\.example", fullmatch=True)
IDS = st.from_regex(r"<[a-z0-9.$]{1,40}@[a-z.]{1,20}>", fullmatch=True)
FILES = st.tuples(
    st.sampled_from(["tổng hợp.xlsx", "bao-cao.docx", "a" * 90 + ".ics"]),
    st.sampled_from(["application/pdf", "text/calendar; method=PUBLISH; charset=utf-8", ""]),
    st.binary(max_size=200),
)


class Spaced(EmailPolicy):
    """The library's policy, with its older header class where its newer one loses spaces."""

    def fold(self, name: str, value: str) -> str:
        text, end = str(value), ""
        if name == "From":
            text, _, address = text.rpartition(" <")
            end = f"\r\n <{address}"
        if name not in ("Subject", "From") or text.isascii():
            return str(super().fold(name, value))
        words = Header(text.strip('"'), "utf-8", header_name=name).encode(linesep="\r\n")
        return f"{name}: {words}{end}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


POLICY = Spaced(linesep=SMTP.linesep)


def by_library(message: Outbound, fields: dict[str, str], at: datetime, *, html: bool) -> bytes:
    """The same mail, built and written by email.message."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Address(_phrase(fields["sender_name"]), addr_spec=SENDER)
    mail["To"] = fields["recipient"]
    mail["Subject"] = _phrase(message.subject)
    mail["Date"] = format_datetime(local(at))
    mail["Message-ID"] = fields["identity"]
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if fields["reply_to"]:
        mail["Reply-To"] = fields["reply_to"]
    for name, value in message.headers:
        mail[name] = _phrase(value)
    footer = "\n\n-- \nTrả lời" if fields["reply_to"] else f"\n\n-- \n{ONE_WAY}"
    mail.set_content(normalize("NFC", message.text + footer), cte="base64")
    if html:
        mail.add_alternative(normalize("NFC", message.mail_html), subtype="html", cte="base64")
    for name, kind, content in message.attachments:
        main, _, sub = kind.partition("/")
        mail.add_attachment(
            content, maintype=main or "application", subtype=sub or "octet-stream",
            filename=_phrase(name),
        )  # fmt: skip
    content = mail.as_bytes()
    if message.thread:  # which the library would encode where one is long
        ids = "\r\n ".join(dict.fromkeys(message.thread))
        last = b"X-Auto-Response-Suppress: All\r\n"
        thread = f"In-Reply-To: {message.reply_to}\r\nReferences: {ids}\r\n".encode()
        content = content.replace(last, last + thread, 1)
    return content


@given(
    subject=TEXT,
    text=TEXT,
    html=st.none() | TEXT.map(lambda text: f"<p>{text}"),
    sender_name=NAMES,
    recipient=ADDRESSES,
    identity=IDS,
    thread=st.lists(IDS, max_size=4),
    header=st.none() | st.text(st.sampled_from("xyz ế=?,"), max_size=120),
    files=st.lists(FILES, max_size=2),
    at=st.integers(0, 10**9).map(lambda seconds: AT + timedelta(seconds=seconds)),
)
@example(
    subject="", text="", html="<p>", sender_name="a", recipient="a@b.example", identity="<a@b>",
    thread=[], header="", files=[], at=AT,
)  # fmt: skip
def test_they_are_the_librarys_but_for_the_boundaries(
    subject: str,
    text: str,
    html: str | None,
    sender_name: str,
    recipient: str,
    identity: str,
    thread: list[str],
    header: str | None,
    files: list[tuple[str, str, bytes]],
    at: datetime,
) -> None:
    """Whatever is said, to whom, in which thread and with which files."""
    message = Outbound(
        subject=subject,
        text=text,
        html="",
        mail_html=html or "x",
        reply_to=thread[-1] if thread else "",
        thread=tuple(dict.fromkeys(thread)),
        headers=(("List-Id", header),) if header is not None else (),
        attachments=tuple(files),
    )
    fields = {
        "sender_name": sender_name, "recipient": recipient, "identity": identity, "reply_to": "",
    }  # fmt: skip
    with_html = html is not None
    written = mail_bytes(message, sender=SENDER, at=at, html=with_html, **fields)
    expected = by_library(message, fields, at, html=with_html)
    assert BOUNDARY.sub(b"", written) == BOUNDARY.sub(b"", expected)
