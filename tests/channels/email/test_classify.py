# ruff: noqa: E501 - bytes as clients write them
"""Whatever bytes come: what kind of mail it is, and the words of whoever wrote it."""

from __future__ import annotations

import base64
import quopri
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminder.channels.email.bounces import Failure
from reminder.channels.email.classify import Kind, own_words, read
from reminder.channels.email.mime import LONGEST_HEAD, parse
from reminder.domain.charset import decoded

SAID = "Dạ em báo cáo đã xong 1c ạ"
HEAD = "From: An <an@xa.example>\r\nTo: nhac@xa.example\r\nMessage-ID: <a@b>\r\n"


def mail(body: bytes | str, *fields: str) -> bytes:
    content = body if isinstance(body, bytes) else body.encode()
    return (HEAD + "".join(f"{field}\r\n" for field in fields) + "\r\n").encode() + content


def kind_of(content: bytes) -> Kind:
    """What a mail is, its own words considered too."""
    return own_words(read(content))[0]


def text_of(content: bytes) -> str:
    """The words of an answer."""
    return own_words(read(content))[1]


def in_base64(text: str, charset: str) -> bytes:
    return mail(
        base64.encodebytes(text.encode(charset)),
        f'Content-Type: text/plain; charset="{charset}"',
        "Content-Transfer-Encoding: base64",
    )


@pytest.mark.parametrize(
    "content",
    [
        in_base64(SAID, "utf-8"),
        in_base64(SAID, "utf-16"),
        in_base64(SAID, "utf-7"),
        mail(SAID.encode("utf-7"), "Content-Type: text/plain; charset=UTF-7"),
        mail(
            quopri.encodestring(SAID.encode()),
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: Quoted-Printable",
        ),
        mail(SAID),
        mail(SAID, "Content-Type: text/plain; charset=us-ascii"),
        mail(SAID, "Content-Type: text/plain; charset=khong-co"),
        mail(SAID, "Content-Type: text/plain; charset=unicode_escape"),
        mail(SAID, "Content-Type: text/plain; charset=hex"),
        mail(SAID, "Content-Type: text/plain", "Content-Transfer-Encoding: x-la"),
        mail(SAID, "Content-Type: multipart/alternative"),
        mail(SAID, "Content-Type: multipart/mixed; boundary=khong-bao-gio"),
        mail(f"<html><title>2c</title><p>{SAID}</p><style>x</style>", "Content-Type: text/html"),
        mail(
            f'--x\r\nContent-Type: text/plain; charset="utf-8"\r\n\r\n{SAID}\r\n--x\r\n'
            "Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\nAAAA",
            "Content-Type: multipart/mixed; boundary=x",
        ),
        mail(
            b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n \r\n--x\r\n"
            b"Content-Type: text/html; charset=utf-8\r\n\r\n" + f"<div>{SAID}</div>".encode(),
            "Content-Type: multipart/alternative; boundary=x",
        ),
    ],
)
def test_the_words_are_read_in_any_charset_and_encoding(content: bytes) -> None:
    """base64, quoted-printable, UTF-7, none said, a wrong one, a broken tree, HTML alone."""
    assert (*own_words(read(content)), read(content).author) == (
        *(Kind.ANSWER, SAID, "an@xa.example"),
    )


def test_a_signature_in_html_is_no_part_of_the_answer() -> None:
    """Gmail's and Outlook's own, which have no line before them."""
    for mark in ('class="gmail_signature"', 'id="Signature"'):
        html = f"<div>{SAID}</div><div {mark}>Nguyễn Văn A<br>Phòng 2c</div>"
        assert text_of(mail(html, "Content-Type: text/html; charset=utf-8")) == SAID


def test_a_calendar_file_beside_an_answer_changes_nothing() -> None:
    """A person may attach one; only what a calendar program sends is no answer."""
    made = EmailMessage()
    made["From"] = "an@xa.example"
    made.set_content(SAID)
    made.add_attachment(
        b"BEGIN:VCALENDAR\nMETHOD:PUBLISH\n", maintype="text", subtype="calendar", filename="a.ics"
    )
    assert own_words(read(made.as_bytes())) == (Kind.ANSWER, SAID)
    made = EmailMessage()
    made.set_content("An đã chấp nhận")
    made.add_alternative("BEGIN:VCALENDAR\nMETHOD:REPLY\n", subtype="calendar")
    assert kind_of(made.as_bytes()) is Kind.CALENDAR


def test_two_charsets_in_one_mail() -> None:
    """Each part by its own."""
    content = mail(
        b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nxong 1c\r\n--x\r\n"
        b"Content-Type: text/plain; charset=windows-1258\r\n\r\n"
        + "ghi chu: d\u00fa\u0309 s\u00f4\u0301 li\u00ea\u0323u".encode("cp1258", "ignore")
        + b"\r\n--x--\r\n",
        "Content-Type: multipart/mixed; boundary=x",
    )
    assert text_of(content).splitlines()[0] == "xong 1c"
    assert text_of(content).splitlines()[1].endswith("số liệu")


def test_a_file_is_not_read_for_an_answer() -> None:
    """The text of an attachment says nothing of what its sender says."""
    made = EmailMessage()
    made["From"] = "an@xa.example"
    made.set_content(" ")
    made.add_attachment("xong 1c", filename="a.txt")
    made.add_attachment(EmailMessage())
    assert kind_of(made.as_bytes()) is Kind.EMPTY


def test_a_mail_within_the_mail_is_not_read_for_an_answer() -> None:
    """Forwarded as an attachment: what it says is not what the sender says."""
    inner = mail("xong 1c").decode()
    content = mail(
        f"--x\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--x--\r\n",
        "Content-Type: multipart/mixed; boundary=x",
    )
    assert own_words(read(content)) == (Kind.EMPTY, "")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (("Auto-Submitted: auto-replied",), Kind.AUTO_REPLY),
        (("Auto-Submitted: auto-generated (rejected)",), Kind.AUTO_REPLY),
        (("Auto-Submitted: no",), Kind.ANSWER),
        (("Return-Path: <>",), Kind.AUTO_REPLY),
        (("Return-Path: <an@xa.example>",), Kind.ANSWER),
        (("Auto-Submitted: auto-forwarded",), Kind.ANSWER),
        (("Precedence: bulk",), Kind.ANSWER),
        (("Precedence: list",), Kind.ANSWER),
        (("Precedence: Auto_Reply",), Kind.AUTO_REPLY),
        (("Precedence: normal",), Kind.ANSWER),
        (("X-Autoreply: yes",), Kind.AUTO_REPLY),
        (("X-Autorespond: x",), Kind.AUTO_REPLY),
        (("X-Autoreply: no",), Kind.ANSWER),
        (("X-Auto-Response-Suppress: All",), Kind.ANSWER),
        (("Subject: =?utf-8?q?Tr=E1=BA=A3_l=E1=BB=9Di_t=E1=BB=B1_=C4=91=E1=BB=99ng?=: x",), Kind.AUTO_REPLY),
        (("Subject: Automatic reply: Nhac viec",), Kind.AUTO_REPLY),
        (("Subject: [External] RE: Out of office: x",), Kind.AUTO_REPLY),
        (("Subject: =?utf-8?b?VuG6r25nIG3hurd0IDI1LTI2LzAx?=",), Kind.ANSWER),
        (("Subject: =?utf-8?b?xJDDoyDEkeG7jWM6IHg=?=",), Kind.RECEIPT),
        (("List-Id: <ca.xa.example>",), Kind.ANSWER),
        (("List-Id: <ca.xa.example>", "List-Unsubscribe: <mailto:x@xa.example>"), Kind.LIST),
        (("Content-Type: text/calendar; method=REPLY",), Kind.CALENDAR),
        (("Content-Type: text/calendar", "Content-Disposition: attachment"), Kind.EMPTY),
        (("Content-Type: multipart/report; report-type=disposition-notification; boundary=x",), Kind.RECEIPT),
    ],
)  # fmt: skip
def test_what_a_machine_wrote_is_no_answer(fields: tuple[str, ...], kind: Kind) -> None:
    """RFC 3834 and its kin: whatever such a mail says, “Đã nhận” or “đã xong 1c”."""
    assert kind_of(mail(SAID, *fields)) is kind


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@xa.example", "postmaster@xa.example", "no-reply@xa.example"]
)
def test_a_daemons_mail_is_no_answer(sender: str) -> None:
    """Whatever it says."""
    content = mail(SAID).replace(b"An <an@xa.example>", sender.encode())
    assert kind_of(content) is Kind.AUTO_REPLY


@pytest.mark.parametrize(
    ("value", "author"),
    [
        ("an@xa.example", "an@xa.example"),
        ('"An, Tư pháp" <an@xa.example>', "an@xa.example"),
        ("=?utf-8?B?QW4=?= <an@xa.example>", "an@xa.example"),
        ("an@xa.example (An)", "an@xa.example"),
        ('"an@xa.example" <la@evil.example>', "la@evil.example"),
        ("an@xa.example <la@evil.example>", ""),
        ("an@xa.example <An@xa.example>", "An@xa.example"),
        ("an@xa.example, la@evil.example", ""),
        ("<an@xa.example> <la@evil.example>", ""),
        ("an@xa.example>(<la@evil.example>", ""),
        ("A <an@xa.example> la@evil.example", ""),
        ("an@xa.example\\@evil.example", ""),
        ("@evil.example:an@xa.example", ""),
        ("an@xa.example\r\nFrom: la@evil.example", ""),
        ("la@evil.example\r\nFrom : an@xa.example", "la@evil.example"),
        ('"\\"<an@xa.example>" <la@evil.example>', "la@evil.example"),
        ("=?utf-8?q?=3Can=40xa.example=3E?=", ""),
        ("nhóm: an@xa.example;", ""),
        ("an\uff20xa.example", ""),
        ("an@xa.example\x00@evil.example", ""),
        (f"an@{'a.' * 130}vn", ""),  # it would stand in the office's message, and in the log
        ("", ""),
    ],
)
def test_from_is_one_address_or_none(value: str, author: str) -> None:
    """A From that could be read in two ways is nobody's."""
    assert read(f"From: {value}\r\n\r\nx".encode()).author == author


def test_two_froms_are_nobodys() -> None:
    """One for the server to check, another for us to believe."""
    assert read(b"From: an@xa.example\r\nFrom: la@evil.example\r\n\r\nx").author == ""


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("a\x00\x1b[2Jb\u202ec\u2028d", "a[2Jbc d"),
        ("=?utf-8?q?a=0D=0ABcc:_x=1B?=", "a Bcc: x"),
        ("việc =?utf-8?q?1c?=", "việc 1c"),
        ("=?utf-7?q?1c_+2AA-?= \\ud800", "1c +2AA-"),  # half a surrogate pair
    ],
)
def test_a_subject_is_one_clean_line(subject: str, said: str) -> None:
    """It stands in the answer's head, in the outbox, on the terminal."""
    assert read(mail("xong 1c", f"Subject: {subject}")).subject == said


def test_half_a_surrogate_pair_is_no_letter() -> None:
    """UTF-7 can write one; no database and no mail can."""
    content = mail(b"xong 1c +2AA-", "Content-Type: text/plain; charset=utf-7")
    assert own_words(read(content))[1] == "xong 1c +2AA-"


def test_a_mail_without_an_id_has_one_of_its_content() -> None:
    """The same bytes are the same mail; an id of any length is kept short."""
    bare = b"From: an@xa.example\r\n\r\nxong 1c"
    assert read(bare).identity == read(bare).identity != read(bare + b".").identity
    long = read(mail("x").replace(b"<a@b>", b"<" + b"a" * 5000 + b"@b>"))
    assert len(long.identity) < 100


def report(status: str, action: str = "failed", said: str = "smtp; 550 no") -> bytes:
    return mail(
        "--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n"
        f"Final-Recipient: rfc822;an@xa.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {said}\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        "Message-ID: <goc@xa.example>\r\nSubject: x\r\n\r\nx\r\n--x--\r\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
    )


@pytest.mark.parametrize(
    ("content", "hard", "final"),
    [
        (report("5.1.1"), True, True),
        (report("5.0.0"), True, True),
        (report("5.0.0", said="smtp; 552 5.2.2 mailbox full"), False, True),
        (report("5.2.2"), False, True),
        (report("5.7.1"), False, True),
        (report("5.7.1", said="smtp; 550 User unknown"), True, True),
        (report("4.4.7"), False, True),
        (report("5.4.7"), False, True),
        (report("5.4.4", said="dns; host not found"), True, True),
        (report("4.4.1", action="delayed"), False, False),
    ],
)
def test_a_report_names_recipient_reason_and_whether_it_is_for_good(
    content: bytes, hard: bool, final: bool
) -> None:
    """RFC 3464: an address refused is hard; a full box, a rule or a delay is not."""
    found = read(content)
    assert found.kind is Kind.BOUNCE
    (failure,) = found.failures
    assert (failure.recipient, failure.hard, failure.final) == ("an@xa.example", hard, final)


def test_the_words_of_a_report_are_one_clean_line() -> None:
    """They stand in the outbox, in exports, and on the terminal."""
    (failure,) = read(report("5.1.1", said="smtp; 550 \x1b[2Jno\u202e =?utf-8?q?=07?=")).failures
    assert failure.reason == "5.1.1 550 [2Jno"


def test_a_report_of_success_is_no_bounce() -> None:
    """“delivered” and “relayed” are receipts."""
    assert kind_of(report("2.0.0", action="delivered")) is Kind.RECEIPT


@pytest.mark.parametrize(
    "quote",
    [
        '<p class="moz-cite-prefix">Am 31.01. schrob N.:<br></p><blockquote>a<pre>b\n\n2c</pre>2e',
        "<div>On 31/01/2024 08:00, Nhắc việc wrote:</div><blockquote>xong 2c<br><br>2d",
    ],
)
def test_an_answer_below_the_quote_in_html_is_read(quote: str) -> None:
    """Thunderbird begins below the quote; the quote's own words stay out, above as below."""
    quote = f"{quote}<blockquote>2d</blockquote></blockquote>"
    for html in (
        f"{quote}<p>{SAID}</p>",
        f"<p>{SAID}</p>{quote}",
        f"<p>{SAID}</p>{quote}<p>2h</p>",
    ):
        assert text_of(mail(html, "Content-Type: text/html; charset=utf-8")) == SAID
    assert kind_of(mail(quote, "Content-Type: text/html; charset=utf-8")) is Kind.EMPTY


def test_a_bounce_in_words_is_known() -> None:
    """qmail's, which knows no RFC 3464."""
    content = mail(
        "Hi. This is the qmail-send program at xa.example.\r\nI'm afraid I wasn't able to deliver "
        "your message to the following addresses.\r\nThis is a permanent error; I've given up. "
        "Sorry it didn't work out.\r\n\r\n<an@xa.example>:\r\n550 5.1.1 no such user\r\n\r\n"
        "--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <goc@xa.example>\r\n"
    ).replace(b"An <an@xa.example>", b"MAILER-DAEMON@xa.example")
    found = read(content)
    assert found.failures == (
        Failure(recipient="an@xa.example", reason="5.1.1", hard=True, final=True),
    )


PIECES = st.sampled_from(
    [
        b"From: an@xa.example\r\n", b"From: =?utf-8?b?!!!?=\r\n", b"To: <<<>,;:(((\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: text/html\r\n",
        b"Content-Type: message/rfc822\r\n", b"Content-Type: text/plain; charset*0*=utf-8''x%\r\n",
        b"Content-Type: message/delivery-status\r\n", b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: uuencode\r\n", b"Subject: =?x?q?=ff?=\r\n", b"\r\n", b"--x\r\n",
        b"--x--\r\n", b"<div><blockquote>", b"&#xd800;", b"\xff\xfe", b"Status: 5.1.1\r\n",
        b"Action: failed\r\n", b"Date: 99 Feb 99999 99:99:99 +9999\r\n", b"=?utf-8?q?", b"\x00",
        b"Authentication-Results: a;b=c\r\n", b'Content-Disposition: x; filename*=a"b\r\n',
        b"Content-Type: multipart/report; boundary=x\r\n", b"Message-ID: <\xe1\r\n", b"xong 1c\r\n",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=30), max_size=25).map(b"".join))
@example(b'From: MAILER-DAEMON@x.vn\r\nContent-Type: text/plain; charset="a\x00b"\r\n\r\n\xff')
@example(b"From: MAILER-DAEMON@x.vn\r\nContent-Type: text/plain; charset*=a'b'c\r\n\r\n\xff")
def test_no_bytes_of_a_stranger_raise(content: bytes) -> None:
    """Any bytes are a mail of some kind, and their text can be kept."""
    found = read(content)
    text_of(content).encode()
    found.subject.encode()
    found.identity.encode()


SIZE = 300_000
HURTFUL: dict[str, bytes] = {
    name: (head + piece * (SIZE // len(piece)))[:SIZE]
    for name, head, piece in (
        ("parts", b"", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
        ("head", b"", b"X: y\r\n"),
        ("from comments", b"From: ", b"\\("),
        ("from quotes", b"From: ", b'\\"'),
        ("recipients", b"To: ", b"<a,"),
        ("encoded words", b"Subject: ", b"=?a?q?"),
        ("prefixes", b"Subject: ", b"re: "),
        ("parameters", b'Content-Type: text/plain; x="', b";"),
        ("results", b"Authentication-Results: a; ", b"a=b "),
        ("bounce of empty lines", b"From: mailer-daemon@b.c\r\n\r\n", b"\n"),
        ("bounce of addresses", b"From: mailer-daemon@b.c\r\n\r\n", b"<a@b.vn>: 550\n"),
        ("greetings", b"\r\n", b"hi,\n"),
        ("invisible", b"\r\n", "\u200b\n".encode()),
        ("one word", b"\r\n", b"a"),
        ("dashes", b"\r\n", b"- "),
        ("attributions", b"\r\n", "Vào 08:00 viết\n".encode()),
        ("labels", b"\r\n", "Từ: a\n".encode()),
        ("pictures", b"\r\n", b"[cid:"),
        ("mojibake", b"\r\n", "chÆ°a ".encode()),
        ("eight bits", b"\r\n", b"ch\xfda "),
        ("open tags", b"Content-Type: text/html\r\n\r\n", b"<a "),
        ("open attributes", b"Content-Type: text/html\r\n\r\n", b'<a b="'),
        ("hidden", b"Content-Type: text/html\r\n\r\n", b'<div style="display:none">'),
        ("numbers", b"Content-Type: text/html\r\n\r\n&#", b"9"),
        ("comments", b"Content-Type: text/html\r\n\r\n", b"<!--"),
    )
}


@pytest.mark.parametrize("content", HURTFUL.values(), ids=HURTFUL.keys())
def test_what_is_made_to_hurt_is_read_in_one_pass(content: bytes) -> None:
    """Each of these once took minutes, by steps that grew with the square of the mail."""
    own_words(read(content))
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(300)
    )
    own_words(read(deep + content))


@pytest.mark.parametrize("end", [b"", b"\r\nxong 1c\r\n"])
def test_a_head_is_cut_whether_or_not_it_ends(end: bytes) -> None:
    """So is one of a single line; what follows an empty head is all body."""
    for line in (b"X: y\r\n", b"X: " + b"y" * 3 * LONGEST_HEAD + b"\r\n"):
        found = parse(line * (3 * LONGEST_HEAD // len(line) + 1) + end)
        assert sum(len(name) + len(value) for name, value in found.items()) <= LONGEST_HEAD
        assert str(found.get_payload()).strip() == end.decode().strip()
    body = "x\n" * LONGEST_HEAD
    assert parse(f"\n{body}".encode()).get_payload() == body


def test_the_charset_chosen_does_not_depend_on_the_length_of_a_text() -> None:
    """Both measures of a reading look at the same characters."""
    line = b"ch\xfaa v\xc3\xa0o 08:00 " + b"x" * 64 + b"\n"
    short, long = (decoded(line * lines, "") for lines in (10, 1000))
    assert long == short * 100
