"""The mails of `make bench`: what the peers send is what we say, and a crash is judged by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.crash import Tally, crashed, judged
from bench.mail import asked, keep_texts, mails, send, sink
from reminder.messages.compose import REPEAT

TEXTS = [
    {
        "subject": f"Nhắc việc: còn {n} ngày, hạn Thứ Tư 31/01",
        "to": f"p{n}@phuong.example.vn",
        "plain": f"Kế hoạch cải cách hành chính: còn {n} ngày\r\n",
        "html": f"<p>Kế hoạch cải cách hành chính: còn {n} ngày</p>\r\n",
    }
    for n in range(3)
]


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the server kept what a peer sent: the second mail twice."""
    kept = tmp_path_factory.mktemp("kept")
    again = {**TEXTS[1], "plain": f"{REPEAT}\n{TEXTS[1]['plain']}"}
    with sink(str(kept)) as port:
        for text in (*TEXTS, again):
            send(port, text)
        count, first, last = asked(port)
    assert (count, first <= last) == (4, True)
    return kept


def test_a_peer_sends_the_texts_as_they_are(came: Path, tmp_path: Path) -> None:
    """One a recipient: the first, which is not marked as a repeat."""
    path = keep_texts(came, tmp_path / "texts.json")
    kept = json.loads(path.read_text("utf-8"))
    assert sorted(kept, key=lambda text: str(text["to"])) == TEXTS


def test_what_never_came_is_lost_and_what_came_again_is_marked_or_not(came: Path) -> None:
    """The first copy of a mail needs no mark."""
    first, second, third, again = mails(came)
    assert judged([first, second, third, again], 5) == Tally(lost=2, marked=1, unmarked=0)
    assert judged([second, again, second], 1) == Tally(lost=0, marked=1, unmarked=1)


@pytest.mark.thorough
def test_mails_go_on_after_each_kill(tmp_path: Path) -> None:
    """As `make bench` plays it with a thousand."""
    tally = crashed(tmp_path, 40)
    assert (tally.lost, tally.unmarked) == (0, 0)
