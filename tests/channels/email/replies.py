"""Answers as the clients write them: Gmail, Outlook, iPhone; and what machines send."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

from tests.channels.email.conftest import INBOX, text_in

AUTHSERV_ID = "mx.example.vn"
GENUINE = f"{AUTHSERV_ID}; dmarc=pass header.from=example.vn"


def head(nudge: EmailMessage, sender: str, results: str = GENUINE) -> EmailMessage:
    """The head of a reply to `nudge`, as our own server has let it in."""
    mail = EmailMessage(policy=SMTP)
    if results:
        mail["Authentication-Results"] = results
    mail["From"] = f"Nguyễn Văn A <{sender}>"
    mail["To"] = str(nudge["Reply-To"] or INBOX)
    mail["Subject"] = f"Re: {nudge['Subject']}"
    mail["Date"] = "Wed, 24 Jan 2024 09:12:00 +0700"
    mail["Message-ID"] = make_msgid(domain="mail.example")
    mail["In-Reply-To"] = str(nudge["Message-ID"])
    mail["References"] = str(nudge["Message-ID"])
    return mail


def gmail(nudge: EmailMessage, said: str, sender: str, **more: str) -> EmailMessage:
    """Text in base64 with “>”, and HTML with a gmail_quote."""
    mail = head(nudge, sender, **more)
    who = f"Vào Th 4, 24 thg 1, 2024 vào lúc 08:00 Nhắc việc <\n{INBOX}> đã viết:"
    quoted = "\n".join(f"> {line}" for line in text_in(nudge).split("\n"))
    mail.set_content(f"{said}\n\n{who}\n\n{quoted}\n", cte="base64")
    mail.add_alternative(
        f'<div dir="ltr">{said}</div><br><div class="gmail_quote"><div class="gmail_attr">'
        f"Vào … đã viết:<br></div><blockquote>{text_in(nudge)}</blockquote></div>",
        subtype="html",
        cte="quoted-printable",
    )
    return mail


def outlook(nudge: EmailMessage, said: str, sender: str, **more: str) -> EmailMessage:
    """HTML alone, the quote below a border and a block “Từ: … Đã gửi: …”."""
    mail = head(nudge, sender, **more)
    quoted = "".join(f"<p class=MsoNormal>{line}</p>" for line in text_in(nudge).split("\n"))
    mail.set_content(
        f"<html><head><style>p.MsoNormal {{margin:0}}</style></head><body lang=VI><div>"
        f"<p class=MsoNormal>{said}<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>"
        "<div style='padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>Từ:</b> Nhắc việc &lt;"
        f"{INBOX}&gt; <br><b>Đã gửi:</b> Thứ Tư, 24 tháng 1, 2024 8:00 SA<br><b>Tới:</b> {sender}"
        f"<br><b>Chủ đề:</b> {nudge['Subject']}</p></div>{quoted}</div></body></html>",
        subtype="html",
        charset="utf-8",
        cte="quoted-printable",
    )
    return mail


def iphone(nudge: EmailMessage, said: str, sender: str, **more: str) -> EmailMessage:
    """Text in quoted-printable, a telephone's line, then the quote."""
    mail = head(nudge, sender, **more)
    quoted = "\n".join(f"> {line}" for line in text_in(nudge).split("\n"))
    mail.set_content(
        f"{said}\n\nĐã gửi từ iPhone của tôi\n\n> Vào 24 thg 1, 2024, lúc 08:00, Nhắc việc "
        f"<{INBOX}> đã viết:\n> \n{quoted}\n",
        cte="quoted-printable",
    )
    return mail


def out_of_office(nudge: EmailMessage, sender: str) -> EmailMessage:
    """“Đã nhận”, says a machine."""
    mail = head(nudge, sender)
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Đã nhận. Đã xong 1c. Tôi đang nghỉ phép đến 30/01.")
    return mail


def bounce(nudge: EmailMessage, status: str = "5.1.1", action: str = "failed") -> bytes:
    """RFC 3464, as Postfix sends it to the envelope's sender."""
    recipient = str(nudge["To"])
    boundary = "grenze"
    return (
        f"From: MAILER-DAEMON@example.vn (Mail Delivery System)\r\nTo: {nudge['X-MailFrom']}\r\n"
        "Return-Path: <>\r\nAuto-Submitted: auto-replied\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: {make_msgid(domain='example.vn')}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; "
        f'boundary="{boundary}"\r\n\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\n'
        f"<{recipient}>: host mx said: 550 5.1.1 User unknown\r\n--{boundary}\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.vn\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} said so\r\n\r\n--{boundary}\r\n"
        f"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: {nudge['Message-ID']}\r\n\r\n"
        f"--{boundary}--\r\n"
    ).encode()
