"""A store in memory and one on a file agree on whatever is done to them, step by step."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reminder.domain.outbox import Row, RowState
from reminder.domain.payloads import Bound, Nudge
from reminder.store.store import Store, open_store
from tests.conftest import examples
from tests.fakes.blank import lay_blank, memory_store
from tests.store.conftest import no_sleep
from tests.store.samples import CHANNELS, HOLD, KEY, draft, event, minutes, on_writer, said

times = st.integers(-2, 5).map(minutes)
people = st.sampled_from(["an", "binh", "group:tu-phap"])
channels = st.sampled_from([*CHANNELS, "console"])
values = st.sampled_from(["1", "2", "-5"])
codes = st.sampled_from(["a", "b", "c"])
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
drafts = st.lists(
    st.builds(
        draft,
        people,
        slot=times,
        kind=st.sampled_from(["nudge", "reply"]),
        subject=st.sampled_from(["", "7"]),
        channel=channels,
        payload=st.builds(Bound, unit=words) | st.just(Nudge(items=())),
        due_at=times,
    ),
    max_size=3,
)
events = st.lists(st.builds(event, words, at=times, by=words, evidence=words), max_size=3)
said_words = st.lists(st.builds(said, st.sampled_from(["due", "late-1"]), at=times), max_size=2)
updates = st.none() | st.tuples(channels, st.sampled_from(["1", "2"]))


class Agreement(RuleBasedStateMachine):
    """Runs both stores side by side."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="reminder-")
        path = Path(self._folder.name) / "r.db"
        lay_blank(path)
        self._file = open_store(f"sqlite:///{path}", exclusive=True, sleep=no_sleep)
        on_writer(self._file, "PRAGMA synchronous=OFF")
        self._memory = memory_store()
        self._leased: list[Row] = []

    def teardown(self) -> None:
        self._memory.close()
        self._file.close()
        self._folder.cleanup()

    def _both(self, use: Callable[[Store], Any]) -> Any:
        here, there = use(self._memory), use(self._file)
        assert here == there
        return here

    @rule(events=events, drafts=drafts, spoken=said_words, seen=updates, at=times, meta=words)
    def record(self, meta: str, **said: Any) -> None:
        self._both(lambda store: store.record(**said, unit_names={}, meta={"m": meta}))

    @rule(now=times, limit=st.integers(0, 3), channels=st.sets(channels))
    def lease(self, now: datetime, limit: int, channels: set[str]) -> None:
        self._leased += self._both(lambda store: store.lease(now, limit, HOLD, channels))

    @precondition(lambda self: self._leased)
    @rule(data=st.data(), at=times, text=words, heirs=drafts, unknown=st.booleans())
    def mark(
        self, data: st.DataObject, at: datetime, text: str, heirs: list[Any], unknown: bool
    ) -> None:
        row = data.draw(st.sampled_from(self._leased))  # a stale lease as well
        end = data.draw(st.sampled_from([RowState.DEAD, RowState.SUPERSEDED]))
        way = data.draw(st.sampled_from(["sent", "retry", "ended"]))
        marks: dict[str, Callable[[Store], bool]] = {
            "sent": lambda store: store.mark_sent(row, text, at),
            "retry": lambda store: store.mark_retry(row, at, text, unknown=unknown),
            "ended": lambda store: store.mark_ended(row, end, text, drafts=heirs, at=at),
        }
        self._both(marks[way])

    @rule(now=times, all_=st.booleans(), but=st.sets(st.integers(1, 9), max_size=3))
    def release(self, now: datetime, all_: bool, but: set[int]) -> None:
        self._both(lambda store: store.release_all(now) if all_ else store.sweep(now, but))

    @rule(now=times)
    def bring_forward(self, now: datetime) -> None:
        self._both(lambda store: store.bring_forward(now, HOLD, HOLD / 2))

    @rule(row=st.integers(1, 9), at=times, back=st.booleans())
    def operate(self, row: int, at: datetime, back: bool) -> None:
        self._both(lambda store: store.revive(row, at) if back else store.drop(row))

    @rule(who=people, channel=channels, value=values, at=times)
    def bind(self, who: str, channel: str, value: str, at: datetime) -> None:
        self._both(lambda store: store.bind(who, channel, value, at))

    @rule(who=people, channel=st.none() | channels)
    def unbind(self, who: str, channel: str | None) -> None:
        self._both(lambda store: store.unbind(who, channel))

    @rule(channel=channels, old=values, new=values, at=times, heirs=drafts, dies=st.booleans())
    def readdress(
        self, channel: str, old: str, new: str, at: datetime, heirs: list[Any], dies: bool
    ) -> None:
        if dies:
            self._both(lambda store: store.mark_address_dead(channel, old, new, at, drafts=heirs))
        else:
            self._both(lambda store: store.move_address(channel, old, new))

    @rule(who=people, code=codes, expires_at=times)
    def invite(self, who: str, code: str, expires_at: datetime) -> None:
        self._both(lambda store: store.invite(who, code, expires_at))

    @rule(code=codes, now=times, channel=channels, value=values)
    def redeem(self, code: str, now: datetime, channel: str, value: str) -> None:
        self._both(lambda store: store.redeem(code, now, channel, value))
        self._both(lambda store: store.invitation_fault(code, now))

    @rule(states=st.sets(st.sampled_from(RowState)), who=st.just("") | people, since=times)
    def look(self, states: set[RowState], who: str, since: datetime) -> None:
        self._both(lambda store: store.rows(states=states, recipient=who, since=since, limit=4))

    @invariant()
    def all_that_is_kept_is_the_same(self) -> None:
        self._both(lambda store: (store.events(), store.head(), store.verify()))
        self._both(lambda store: (store.rows(), store.counts(), store.next_due()))
        self._both(lambda store: (store.addresses(), store.meta("m")))
        self._both(lambda store: set(store.spoken_of([KEY])))


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=examples(10), stateful_step_count=25, deadline=None)
