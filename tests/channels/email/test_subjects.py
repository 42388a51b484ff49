"""A mail's headers, read as mail programs read them, say what was written."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from email.policy import default

from hypothesis import example, given
from hypothesis import strategies as st

from reminder.channels.email.content import mail_bytes
from reminder.domain.outbox import Outbound
from tests.channels.email.mailline import AT, PERSON, SENDER

WORDS = [
    "Nhắc",
    "việc",
    "Thứ",
    "Ba",
    "24/11:",
    "1c,",
    "2c",
    "(1",
    "sắp",
    "đến",
    "hạn)",
    "quá",
    "🔴",
]
PHRASE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join)

NAME = st.lists(st.sampled_from(["Nhắc", "việc", "UBND", "phường"]), min_size=1).map(" ".join)


@given(subject=PHRASE, name=NAME)
@example(subject="Nhắc việc Thứ Ba 24/11: 1c (1 việc sắp đến hạn)", name="Nhắc việc")
def test_headers_keep_their_spaces(subject: str, name: str) -> None:
    """Wherever a long header is folded, no blank between two words is lost."""
    mail = mail_bytes(
        Outbound(subject=subject[:140], html="x", text="x"),
        sender=SENDER,
        sender_name=name[:60],
        recipient=PERSON,
        identity="<a@b>",
        reply_to="",
        at=AT,
    )
    raw = mail
    assert max(len(line) for line in raw.split(b"\r\n")) <= 80
    parsed = email.message_from_bytes(raw, policy=default)
    assert parsed["Subject"] == subject[:140].strip()
    assert parsed["From"].addresses[0].addr_spec == SENDER
    plain = email.message_from_bytes(raw)  # the newer parser itself parts words in a long name
    assert str(make_header(decode_header(plain["From"]))) == f"{name[:60].strip()} <{SENDER}>"
    assert str(make_header(decode_header(plain["Subject"]))) == subject[:140].strip()
