"""What a run came to: what the providers noted, and what stands in the database, against the seed.

Nothing here talks to the program: values in, a `Tally` out, so that the judge can be tried with
faults put in by hand.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.scale.providers import MAIL_REFUSED, TOO_MANY, Arrival
from tests.scale.province import Answer, Reader, by_chat

REPEAT = "(có thể là tin gửi lại)"
SILENCE = 10.0  # seconds: the longest that an account may be silent while it has rows
BATCH = 64  # rows that an account may have under way when another office's become due
ASKED = 2.0  # seconds in which mails under way arrive after a refusal
CHAT_SECONDS = 1.1  # that a chat waits for its next message
LOST_TWICE = 2  # leases of a row that two processes have died with
MANY = 300  # messages of an account whose pace is looked at
_TAGS = re.compile(r"<[^>]+>")
_WARD = re.compile(r"phường (\d{5})")
_ENDED = ("dead", "superseded", "dropped")
ANSWER = "reply"


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """A row of the outbox at the end; times are Unix times."""

    id: int
    office: str
    account: str
    recipient: str
    kind: str
    slot: str
    state: str
    chat: str  # where it was sent
    provider_id: str
    ready: float  # when it could be sent: made and due
    error: str = ""
    attempts: int = 1  # leases


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event in an office's ledger."""

    office: str
    by: str
    task: str
    kind: str


@dataclass
class Tally:
    """The line of the table, and all that is not as promised."""

    due: int = 0  # texts that had to come, one a reader
    queued: int = 0
    arrived: int = 0
    seconds: float = 0.0
    worst: int = 0  # messages of one account in its busiest second
    pace: float = 0.0  # messages a second of the slowest of the accounts with many
    lost: int = 0
    twice: int = 0
    unmarked: int = 0
    in_flight: int = 0
    disordered: int = 0
    refused: int = 0  # 429
    silence: float = 0.0
    silent: str = ""
    others_done: float = 0.0  # seconds until the others of the big office's account are done
    big_done: float = 0.0
    ahead: int = 0  # messages of the big office while another one waited for its turn, at most
    answers: int = 0
    answers_lost: int = 0
    answered: float = 0.0  # seconds from a webhook's call to the reply, the longest
    rights_broken: int = 0
    across: int = 0  # rows that a connection of another office could see or change
    why: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether a promise was not kept."""
        return bool(self.why)

    def wrong(self, what: str) -> None:
        """Note what is not as promised."""
        self.why.append(what)


def identity(text: str) -> str:
    """What a message says, without the mark of a repeat."""
    return " ".join(_TAGS.sub("", text).replace(REPEAT, "").split())


def judged(
    arrivals: Sequence[Arrival],
    rows: Sequence[Queued],
    events: Iterable[Recorded],
    *,
    readers: Sequence[Reader],
    answers: Sequence[Answer],
    big: str,
    in_flight: int,
    begun: float = 0.0,
) -> Tally:
    """Return what became of the messages, their order, the accounts' limits, answers and rights.

    `big`: the office that has many more messages than the others of its account. `in_flight`: how
    many messages were under way when something was killed, frozen or cut. `begun`: from when the
    seconds in what is said are counted.
    """
    tally = Tally(queued=len(rows), in_flight=in_flight)
    taken = [arrival for arrival in arrivals if arrival.taken]
    tally.arrived = len(taken)
    if taken:
        tally.seconds = taken[-1].at - taken[0].at
    copies: dict[tuple[str, str, str], list[Arrival]] = defaultdict(list)
    for arrival in taken:
        copies[arrival.account, arrival.chat, identity(arrival.text)].append(arrival)
    _due(taken, readers, tally)
    came = _rows(taken, rows, tally)
    _repeats(copies, came, tally)
    _order(copies, came, tally)
    _limits(arrivals, tally)
    _silence(arrivals, came, begun, tally)
    _fairness(copies, came, big, tally)
    _answers(list(events), answers, tally)
    _places(taken, readers, tally)
    return tally


Came = Sequence[tuple[Queued, Arrival]]  # the sent rows, each with the message it became


def _due(taken: Iterable[Arrival], readers: Iterable[Reader], tally: Tally) -> None:
    """Each reader has got each text that they had to get."""
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for arrival in taken:
        texts[arrival.account, arrival.chat].append(arrival.text)
    for reader in readers:
        here = texts[reader.account, reader.chat]
        for due in reader.due:
            tally.due += 1
            if not any(due in text for text in here):
                tally.lost += 1
                tally.wrong(f"lost: {due!r} to {reader.person} of {reader.office}")


def _rows(taken: Iterable[Arrival], rows: Iterable[Queued], tally: Tally) -> Came:
    """Each row has ended, and what is marked as sent has arrived; those, with what arrived."""
    by_id = {(a.account, a.chat, a.id): a for a in taken}
    came = []
    for row in rows:
        arrival = by_id.get((row.account, row.chat, row.provider_id))
        if row.state in _ENDED:
            tally.wrong(f"{row.state}: {_shown(row)} {row.error}")
        elif row.state not in ("sent", "returned"):
            tally.lost += 1
            tally.wrong(f"never ended, {row.state}: {_shown(row)}")
        elif arrival is None:
            tally.lost += 1
            tally.wrong(f"marked as sent, and never arrived: {_shown(row)}")
        else:
            came.append((row, arrival))
    return came


def _repeats(
    copies: Mapping[tuple[str, str, str], Sequence[Arrival]], came: Came, tally: Tally
) -> None:
    """What came more often than it was queued: all but one copy of a row say so."""
    wanted = Counter((a.account, a.chat, identity(a.text)) for _, a in came)
    for place, found in copies.items():
        once = max(1, wanted[place])
        tally.twice += len(found) - once
        plain = sum(REPEAT not in arrival.text for arrival in found)
        if plain > once:
            tally.unmarked += plain - once
            tally.wrong(f"came {plain} times without a mark: {place}")
    if tally.twice > tally.in_flight:
        tally.wrong(f"{tally.twice} came twice, {tally.in_flight} were under way")


def _order(
    copies: Mapping[tuple[str, str, str], Sequence[Arrival]], came: Came, tally: Tally
) -> None:
    """Of two messages to one recipient that both waited, the earlier arrives first.

    The earlier one was queued earlier, and for no later a moment. Answers go before all else, and
    are compared among themselves.
    """
    lines: dict[tuple[str, str, bool], list[tuple[Queued, float]]] = defaultdict(list)
    for row, arrival in came:
        found = copies[arrival.account, arrival.chat, identity(arrival.text)]
        lines[row.office, row.recipient, row.kind == ANSWER].append(
            (row, min(copy.at for copy in found))
        )
    for line in lines.values():
        line.sort(key=lambda each: each[0].id)
        for n, (row, at) in enumerate(line):
            for earlier, before in line[:n]:
                if earlier.slot <= row.slot and before > at > earlier.ready:
                    tally.disordered += 1
                    tally.wrong(f"{_shown(row)} came before {_shown(earlier)}")


def _limits(arrivals: Iterable[Arrival], tally: Tally) -> None:
    """No account was told that it asks too often; their busiest second, and their pace."""
    times: dict[str, list[float]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.status == TOO_MANY:
            tally.refused += 1
            tally.wrong(f"429: {arrival.account} {arrival.method} to {arrival.chat}")
        if arrival.taken:
            times[arrival.account].append(arrival.at)
    for found in times.values():
        first = 0
        for n, at in enumerate(found):
            while found[first] <= at - 1:
                first += 1
            tally.worst = max(tally.worst, n - first + 1)
    paces = [(len(f) - 1) / (f[-1] - f[0]) for f in times.values() if len(f) >= MANY]
    tally.pace = min(paces, default=0.0)


def _silence(arrivals: Iterable[Arrival], came: Came, begun: float, tally: Tally) -> None:
    """The longest time in which an account with something to send sent nothing.

    But for a mail server that has told it to come again later.
    """
    until = 0.0
    heard: dict[str, list[float]] = defaultdict(list)
    later: dict[str, list[float]] = defaultdict(list)
    for arrival in arrivals:
        heard[arrival.account].append(arrival.at)
        if arrival.status == MAIL_REFUSED:
            later[arrival.account].append(arrival.at)
    waiting: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row, arrival in came:
        waiting[row.account].append((arrival.at, row.ready))
    for account, spans in waiting.items():
        spans.sort(reverse=True)
        times = sorted({0.0, *heard[account]}, reverse=True)
        oldest, n = float("inf"), 0
        for end, start in pairwise(times):
            while n < len(spans) and spans[n][0] >= end:  # they had not arrived before `end`
                oldest = min(oldest, spans[n][1])
                n += 1
            quiet = end - max(start, oldest)
            asked = any(start - ASKED <= at <= start for at in later[account])
            if quiet > tally.silence and not asked:
                tally.silence, tally.silent, until = quiet, account, end
    if tally.silence > SILENCE:
        words = f"{tally.silent} was silent for {tally.silence:.1f} s and had rows"
        tally.wrong(f"{words}, until {until - begun:.1f} s")


def _fairness(
    copies: Mapping[tuple[str, str, str], Sequence[Arrival]], came: Came, big: str, tally: Tally
) -> None:
    """While another office waits for its turn, the big one gets no more than is under way.

    A message waits from when it was queued, its office had its last turn, and its chat, which gets
    one a second, was free. What was lost twice comes after all others, and so counts for nobody.
    """
    account = next((row.account for row, _ in came if row.office == big), "")
    mine = sorted(
        (min(copy.at for copy in copies[a.account, a.chat, identity(a.text)]), row.id, row)
        for row, a in came
        if row.account == account
    )
    of_big = [at for at, _, row in mine if row.office == big and row.kind != ANSWER]
    others = [each for each in mine if each[2].office != big]
    if not of_big or not others:
        return
    first = mine[0][0]
    tally.others_done, tally.big_done = others[-1][0] - first, of_big[-1] - first
    turns: dict[str, float] = {}
    chats: dict[str, float] = {}
    for at, _, row in others:
        since = max(row.ready, turns.get(row.office, 0.0), chats.get(row.chat, 0.0) + CHAT_SECONDS)
        turns[row.office] = chats[row.chat] = at
        used = bisect_left(of_big, at) - bisect_left(of_big, since)
        if row.kind != ANSWER and row.attempts <= LOST_TWICE:
            tally.ahead = max(tally.ahead, used)
    if tally.ahead > BATCH:
        tally.wrong(f"{big} had {tally.ahead} messages while others of {account} waited for one")


def _answers(events: Sequence[Recorded], answers: Sequence[Answer], tally: Tally) -> None:
    """Each answer stands once in the ledger of its office, and nothing else does."""
    wanted = Counter((a.reader.office, a.reader.person, a.task) for a in answers)
    found = Counter((e.office, e.by, e.task) for e in events if e.kind == "done")
    tally.answers = wanted.total()
    for answer in wanted:
        if found[answer] != 1:
            tally.answers_lost += 1
            tally.wrong(f"recorded {found[answer]} times: {answer}")
    for event in events:
        if event.kind != "held" and (event.office, event.by, event.task) not in wanted:
            tally.rights_broken += 1
            tally.wrong(f"nobody had a right to {event}")


def _places(taken: Iterable[Arrival], readers: Sequence[Reader], tally: Tally) -> None:
    """Each message went to somebody of the province, and names no office but theirs."""
    chats = by_chat(readers)
    for arrival in taken:
        here = chats.get((arrival.account, arrival.chat))
        if here is None:
            tally.rights_broken += 1
            tally.wrong(f"{arrival.account} wrote to {arrival.chat}, who is nobody")
            continue
        offices = {reader.office for reader in here}
        if not offices.issuperset(named := set(_WARD.findall(arrival.text))):
            tally.rights_broken += 1
            tally.wrong(f"{arrival.chat} of {sorted(offices)} read of {sorted(named)}")


def _shown(row: Queued) -> str:
    return f"row {row.id} ({row.kind} to {row.recipient} of {row.office} by {row.account})"
