"""Mail: a thousand due at one instant, to a server that takes each at once, all texts different.

Here each mail is leased, rendered, sent, and on record as sent before it counts. The peers send the
same subjects, texts and pages with smtplib over a connection a mail: a bare loop, which forgets
what it sent, and APScheduler with one job a mail in its SQLAlchemy store and ten threads. Rates are
from the first arrival at the server to the last, processor time is that of the client's process.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

from bench.rows import Row, at_least, at_most, in_turn, row
from bench.sides import folder, result, started

COUNT = 1000
SENDER = "nhac@phuong.example.vn"


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    cpu: dict[str, list[float]] = {"ours": [], "loop": [], "apscheduler": []}
    with folder() as texts:
        with sink(texts) as port, folder() as place:
            result("bench.ours", "mail", str(port), place, "--count", str(COUNT))

        def rate(side: str) -> float:
            with sink() as port, folder() as place:
                if side == "ours":
                    words = ["bench.ours", "mail", str(port), place, "--count", str(COUNT)]
                else:
                    words = ["bench.peers", f"mail-{side}", str(port), "--texts", texts]
                cpu[side].append(float(result(*words)["cpu"]))
                count, first, last = asked(port)
                assert count == COUNT
                return (COUNT - 1) / float(last - first)

        ours, loop, peer = in_turn(
            lambda: rate("ours"), lambda: rate("loop"), lambda: rate("apscheduler"), rounds=3
        )
    spent = {side: sorted(found)[len(found) // 2] for side, found in cpu.items()}
    for name, other, goal, bound in (
        ("a bare smtplib loop", loop, at_least(1.5), at_most(1.2)),
        ("APScheduler with smtplib", peer, None, None),
    ):
        side = "loop" if other is loop else "apscheduler"
        yield row(
            f"{COUNT} mails beside {name}, a second",
            f"{ours:.0f}", f"{other:.0f}", figure=ours / other, goal=goal,
        )  # fmt: skip
        yield row(
            f"processor time a mail beside {name}, ms",
            f"{spent['ours'] * 1e3:.2f}", f"{spent[side] * 1e3:.2f}",
            figure=spent["ours"] / spent[side], goal=bound,
        )  # fmt: skip


@contextmanager
def sink(*keep: str) -> Iterator[int]:
    """The port of a fresh server."""
    with started("bench.sink", *keep) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def asked(port: int) -> Any:
    """How many mails the server has, and when the first and the last came."""
    with smtplib.SMTP("127.0.0.1", port) as session:
        session.ehlo()
        return json.loads(session.docmd("XSTAT")[1])


@cache
def texts_of(place: str) -> list[dict[str, str]]:
    """Subject, text and page of each mail that a server kept."""
    return [written(path.read_bytes()) for path in sorted(Path(place).glob("*.eml"))]


def written(content: bytes) -> dict[str, str]:
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    parts = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
    texts = {kind: str(part.get_content()) for kind, part in parts.items() if part is not None}
    return {"subject": str(mail["Subject"]), "to": str(mail["To"]), **texts}


def send(port: int, text: dict[str, str]) -> None:
    """One mail of a peer, over a connection of its own."""
    mail = EmailMessage()
    mail["From"] = f"Nhắc việc <{SENDER}>"
    mail["To"] = text["to"]
    mail["Subject"] = text["subject"]
    mail.set_content(text["plain"])
    mail.add_alternative(text["html"], subtype="html")
    with smtplib.SMTP("127.0.0.1", port) as session:
        session.send_message(mail)
