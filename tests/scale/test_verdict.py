"""The judge of `make scale` finds each fault that is put in by hand, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.scale.providers import Arrival
from tests.scale.province import Answer, Province, Reader
from tests.scale.verdict import REPEAT, Queued, Recorded, Tally, judged

START = 1_000.0
PROVINCE = Province(
    offices=40, accounts=20, more=60, answers=5, today=datetime(2026, 11, 30, tzinfo=UTC)
)
BIG = "00001"


class Run:
    """A run without a fault: each reader has got two messages, by turns of the offices."""

    def __init__(self) -> None:
        self.readers: list[Reader] = list(PROVINCE.readers)
        self.answers: list[Answer] = list(PROVINCE.asked)
        self.arrivals: list[Arrival] = []
        self.rows: list[Queued] = []
        self.in_flight = 0
        self.events = [
            Recorded(office=a.reader.office, by=a.reader.person, task=a.task, kind="done")
            for a in self.answers
        ]
        turn: dict[str, int] = {}
        in_turns = []
        for reader in self.readers:
            for n in range(2):
                turn[reader.office] = turn.get(reader.office, 0) + 1
                in_turns.append((turn[reader.office], reader, n))
        for number, (_, reader, n) in enumerate(sorted(in_turns, key=lambda each: each[0])):
            self._send(number, reader, n)

    def _send(self, number: int, reader: Reader, n: int) -> None:
        text = f"<b>{reader.due[0]}</b> lần {n}"
        at = START + number / 25
        self.arrivals.append(
            Arrival(
                at=at,
                account=reader.account,
                method="sendMessage",
                chat=reader.chat,
                text=text,
                id=str(number),
            )
        )
        self.rows.append(
            Queued(
                id=number,
                office=reader.office,
                account=reader.account,
                recipient=reader.person,
                kind="nudge",
                slot=f"0{n}",
                state="sent",
                chat=reader.chat,
                provider_id=str(number),
                ready=START - 1,
            )
        )

    def of(self, account: str) -> list[int]:
        """The places of an account's messages."""
        return [n for n, each in enumerate(self.arrivals) if each.account == account]

    def judged(self) -> Tally:
        return judged(
            sorted(self.arrivals, key=lambda arrival: arrival.at),
            self.rows,
            self.events,
            readers=self.readers,
            answers=self.answers,
            big=BIG,
            in_flight=self.in_flight,
        )


@pytest.fixture
def run() -> Run:
    return Run()


def test_nothing_is_wrong_with_a_run_without_a_fault(run: Run) -> None:
    tally = run.judged()
    assert tally.why == []
    assert (tally.lost, tally.twice, tally.disordered, tally.refused) == (0, 0, 0, 0)
    assert (tally.due, tally.queued, tally.arrived) == (340, 680, 680)
    assert (tally.answers, tally.answers_lost, tally.rights_broken) == (5, 0, 0)
    assert 0 < tally.others_done < tally.big_done
    assert tally.silence < 10


def test_a_text_that_never_came_is_lost_whatever_its_row_says(run: Run) -> None:
    """Both of its messages are missing: the text that was due, and two rows marked as sent."""
    reader = run.readers[40]
    run.arrivals = [each for each in run.arrivals if each.chat != reader.chat]
    tally = run.judged()
    assert tally.lost == 3
    assert any(each.startswith(f"lost: {reader.due[0]!r}") for each in tally.why)


def test_a_row_that_never_ended_is_lost(run: Run) -> None:
    run.rows[7] = replace(run.rows[7], state="pending", provider_id="")
    tally = run.judged()
    assert (tally.lost, len(tally.why)) == (1, 1)
    assert "never ended, pending: row 7" in tally.why[0]


def test_a_row_that_was_given_up_is_told(run: Run) -> None:
    run.rows[7] = replace(run.rows[7], state="dead", error="chat not found")
    assert "chat not found" in run.judged().why[0]


def test_a_repeat_that_says_so_is_counted_and_no_fault_if_it_was_under_way(run: Run) -> None:
    again = replace(run.arrivals[5], at=run.arrivals[5].at + 5, id="again")
    again = replace(again, text=f"<i>{REPEAT}</i>\n{again.text}")
    run.arrivals.append(again)
    run.in_flight = 1
    tally = run.judged()
    assert (tally.twice, tally.unmarked, tally.why) == (1, 0, [])
    run.in_flight = 0
    assert run.judged().why == ["1 came twice, 0 were under way"]


def test_an_unmarked_repeat_is_found(run: Run) -> None:
    run.arrivals.append(replace(run.arrivals[5], at=run.arrivals[5].at + 5, id="again"))
    run.in_flight = 9
    tally = run.judged()
    assert (tally.twice, tally.unmarked, len(tally.why)) == (1, 1, 1)


def test_two_rows_of_the_same_words_are_no_repeat(run: Run) -> None:
    first, second = (n for n, row in enumerate(run.rows) if row.chat == run.rows[0].chat)
    run.arrivals[second] = replace(run.arrivals[second], text=run.arrivals[first].text)
    tally = run.judged()
    assert (tally.twice, tally.why) == (0, [])


def test_a_swapped_order_is_found_unless_the_earlier_was_not_queued_yet(run: Run) -> None:
    first, second = (n for n, row in enumerate(run.rows) if row.chat == run.rows[0].chat)
    one, other = run.arrivals[first], run.arrivals[second]
    run.arrivals[first] = replace(one, at=other.at)
    run.arrivals[second] = replace(other, at=one.at)
    tally = run.judged()
    assert (tally.disordered, len(tally.why)) == (1, 1)
    run.rows[first] = replace(run.rows[first], ready=one.at + 0.001)
    assert run.judged().disordered == 0


def test_an_answer_may_go_before_what_waits(run: Run) -> None:
    first, second = (n for n, row in enumerate(run.rows) if row.chat == run.rows[0].chat)
    one, other = run.arrivals[first], run.arrivals[second]
    run.arrivals[first] = replace(one, at=other.at)
    run.arrivals[second] = replace(other, at=one.at)
    run.rows[second] = replace(run.rows[second], kind="reply")
    assert run.judged().why == []


def test_a_429_is_found(run: Run) -> None:
    run.arrivals.append(replace(run.arrivals[5], status=429, id=""))
    tally = run.judged()
    assert (tally.refused, len(tally.why)) == (1, 1)


def test_a_silence_is_found_where_something_waited(run: Run) -> None:
    """From the ninth message on all of one account's come 20 s later."""
    late = run.of("tele-1")[8:]
    for n in late:
        run.arrivals[n] = replace(run.arrivals[n], at=run.arrivals[n].at + 20)
    tally = run.judged()
    assert (tally.silent, len(tally.why)) == ("tele-1", 1)
    assert tally.silence > 20
    for n in late:  # queued only then: nothing waited
        run.rows[n] = replace(run.rows[n], ready=run.arrivals[n].at - 1)
    assert run.judged().silence < 10


def test_a_pause_that_a_mail_server_has_asked_for_is_no_silence(run: Run) -> None:
    mine = run.of("mail-1")
    first, late = mine[0], mine[len(mine) // 2 :]
    for n in late:
        run.arrivals[n] = replace(run.arrivals[n], at=run.arrivals[n].at + 30)
    assert run.judged().silent == "mail-1"
    before = max(run.arrivals[n].at for n in mine if n not in late)
    refused = replace(run.arrivals[first], status=451, text="", id="", at=before - 0.1)
    run.arrivals.append(refused)
    assert run.judged().silence < 10


def test_a_silence_before_the_first_message_is_found(run: Run) -> None:
    for n in run.of("tele-2"):
        run.arrivals[n] = replace(run.arrivals[n], at=run.arrivals[n].at + 30)
    tally = run.judged()
    assert (tally.silent, len(tally.why)) == ("tele-2", 1)


def test_one_office_before_all_others_of_its_account_is_unfair(run: Run) -> None:
    """The big office's many messages go first."""
    mine = run.of("tele-1")
    in_order = sorted(mine, key=lambda n: (run.rows[n].office != BIG, n))
    for place, n in zip(mine, in_order, strict=True):
        run.arrivals[n] = replace(run.arrivals[n], at=START + place / 25)
    tally = run.judged()
    assert (tally.ahead, len(tally.why)) == (sum(row.office == BIG for row in run.rows), 1)


def test_what_waits_for_its_chat_or_was_lost_twice_waits_for_no_turn(run: Run) -> None:
    """The big office may use the time of a chat that gets one a second."""
    mine = [n for n in run.of("tele-1") if run.rows[n].office == BIG]
    other = next(n for n in run.of("tele-1") if run.rows[n].office != BIG)
    end = max(each.at for each in run.arrivals) + 1
    for place, n in enumerate(mine):
        run.arrivals[n] = replace(run.arrivals[n], at=end + place / 500)
    run.arrivals[other] = replace(run.arrivals[other], at=end + 1)
    run.rows[other] = replace(run.rows[other], ready=end)
    assert run.judged().ahead == 134
    run.rows[other] = replace(run.rows[other], attempts=3)
    assert run.judged().ahead == 0
    before = run.arrivals[other]
    run.rows[other] = replace(run.rows[other], attempts=1)
    run.arrivals.append(replace(before, at=end - 0.1, id="y", text="trước"))
    run.rows.append(replace(run.rows[other], id=10**6, provider_id="y", ready=START))
    assert run.judged().ahead == 0


def test_an_answer_that_is_not_on_record_or_twice_is_lost(run: Run) -> None:
    gone = run.events.pop()
    run.events.append(run.events[0])
    tally = run.judged()
    assert (tally.answers_lost, len(tally.why)) == (2, 2)
    assert gone.office in "".join(tally.why)


def test_an_event_in_another_office_breaks_a_right(run: Run) -> None:
    run.events.append(replace(run.events[0], office="00040"))
    tally = run.judged()
    assert (tally.rights_broken, tally.answers_lost, len(tally.why)) == (1, 0, 1)


def test_a_message_that_names_another_office_breaks_a_right(run: Run) -> None:
    run.arrivals[3] = replace(run.arrivals[3], text="Việc của phường 00039")
    assert any("read of ['00039']" in each for each in run.judged().why)


def test_a_message_to_nobody_of_the_province_breaks_a_right(run: Run) -> None:
    run.arrivals.append(replace(run.arrivals[3], chat="999", id="x"))
    assert run.judged().rights_broken == 1
