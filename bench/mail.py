"""Mail: a thousand due at one instant, to a server that takes each at once, all texts different.

Here each mail is leased, rendered, sent, and on record as sent before it counts. The peers send the
same subjects, texts and pages with smtplib over a connection a mail: a bare loop, which forgets
what it sent; APScheduler with one job a mail in its SQLAlchemy store and ten threads; and celery
with one task a mail in Redis and eight processes. Rates are from the first arrival at the server to
the last, processor time is that of the client's processes, Redis excepted.
"""

from __future__ import annotations

import json
import smtplib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

from bench import celery_peer
from bench.rows import Row, at_least, at_most, in_turn, row
from bench.sides import result, started, until

COUNT = 1000
SENDER = "nhac@phuong.example.vn"
NAMES = {
    "loop": "a bare smtplib loop",
    "apscheduler": "APScheduler with smtplib",
    "celery": "celery with smtplib",
}


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = _texts(folder)
        cpu: dict[str, list[float]] = {"ours": [], **{side: [] for side in NAMES}}

        def rate(side: str) -> float:
            with sink() as port, tempfile.TemporaryDirectory() as place:
                if side == "ours":
                    words = ["bench.ours", "mail", str(port), place, "--count", str(COUNT)]
                    cpu[side].append(float(result(*words)["cpu"]))
                elif side == "celery":
                    cpu[side].append(_celery(Path(place), port, texts))
                else:
                    words = ["bench.peers", f"mail-{side}", str(port), "--texts", str(texts)]
                    words += ["--store", f"{place}/jobs.db"]
                    cpu[side].append(float(result(*words)["cpu"]))
                count, first, last = asked(port)
                assert count == COUNT
                return (COUNT - 1) / float(last - first)

        ours, loop = in_turn(lambda: rate("ours"), lambda: rate("loop"), rounds=3)
        rates = {"loop": loop, "apscheduler": rate("apscheduler")}
        if celery_peer.installed():
            rates["celery"] = rate("celery")
    spent = {side: sorted(found)[len(found) // 2] for side, found in cpu.items() if found}
    for side, other in rates.items():
        held = side == "loop"
        once = "" if held else " (one round)"
        yield row(
            f"{COUNT} mails beside {NAMES[side]}, a second{once}",
            f"{ours:.0f}", f"{other:.0f}", figure=ours / other,
            goal=at_least(1.5) if held else None,
        )  # fmt: skip
        yield row(
            f"processor time a mail beside {NAMES[side]}, ms{once}",
            f"{spent['ours'] * 1e3:.2f}", f"{spent[side] * 1e3:.2f}",
            figure=spent["ours"] / spent[side], goal=at_most(1.2) if held else None,
        )  # fmt: skip
    if "celery" not in rates:
        yield row(f"{COUNT} mails beside {NAMES['celery']}", celery_peer.WHY_NOT)


def _texts(folder: Path) -> Path:
    """What is said in our mails, for the peers."""
    kept = folder / "kept"
    kept.mkdir()
    with sink(str(kept)) as port, tempfile.TemporaryDirectory() as place:
        result("bench.ours", "mail", str(port), place, "--count", str(COUNT))
    return keep_texts(kept, folder / "texts.json")


def _celery(folder: Path, port: int, texts: Path) -> float:
    """Seconds of the processor a mail, from the first arrival that is seen on."""
    with celery_peer.queue(folder, port, texts, late=False) as queue, queue.worker() as process:
        until(lambda: asked(port)[0] > 0)
        count, before = asked(port)[0], celery_peer.processor_time(process.pid)
        until(lambda: asked(port)[0] >= COUNT)
        spent = celery_peer.processor_time(process.pid) - before
    return spent / max(1, COUNT - int(count))


@contextmanager
def sink(*keep: str) -> Iterator[int]:
    """The port of a fresh server; `keep`: the folder in which it keeps the mails."""
    with started("bench.sink", *keep) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def asked(port: int) -> Any:
    """How many mails the server has, and when the first and the last came."""
    with smtplib.SMTP("127.0.0.1", port) as session:
        session.ehlo()
        return json.loads(session.docmd("XSTAT")[1])


def mails(kept: Path) -> list[bytes]:
    """The mails that a server kept, in the order in which they came."""
    return [path.read_bytes() for path in sorted(kept.glob("*.eml"), key=lambda p: int(p.stem))]


def keep_texts(kept: Path, path: Path) -> Path:
    """Write down the texts of the mails that a server kept, the first of each recipient."""
    texts = {text["to"]: text for text in map(written, reversed(mails(kept)))}
    path.write_text(json.dumps(list(texts.values())), "utf-8")
    return path


@cache
def texts_of(path: str) -> list[dict[str, str]]:
    """Subject, text and page of each mail."""
    found: list[dict[str, str]] = json.loads(Path(path).read_text("utf-8"))
    return found


def written(content: bytes) -> dict[str, str]:
    """Read what a mail says, and to whom."""
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
