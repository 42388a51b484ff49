"""A small office for tests: the plan of 2024, its people, a store, and channels that remember."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from reminder.app.channels import known_channels
from reminder.domain.calendar import instant
from reminder.domain.context import Inbound
from reminder.domain.outbox import RowState, SendError
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files.documents import Documents, Sources
from reminder.files.people import load_people
from reminder.files.plan import load_plan
from reminder.messages.rows import RowRenderer
from reminder.services.deliver import Rendered
from reminder.services.office import Files, Office
from reminder.services.service import Service
from reminder.store.store import Store
from tests.fakes.blank import contents_of, memory_store

TELEGRAM, EMAIL = "telegram", "email"

CHATS = {"an": "101", "binh": "102", "chi": "103", "dung": "104", "lan": "105"}


def person(name: str, *units: str, channels: Sequence[str] = (TELEGRAM, EMAIL)) -> Person:
    return Person(
        id=name,
        name=name.capitalize(),
        units=units,
        email=f"{name}@example.vn",
        channels=tuple(channels),
    )


PEOPLE = (
    person("an", "tu-phap"),
    person("binh", "tu-phap", channels=(EMAIL,)),
    person("chi", "van-phong"),
    person("dung", "tai-chinh-ke-toan", "van-hoa-xa-hoi"),
    person("lan", "lanh-dao"),
)


def at(day: str, clock: str = "08:00") -> datetime:
    """The instant of “31/01” and “08:00” on the office's clock in 2024."""
    number, month = day.split("/")
    return instant(date(2024, int(month), int(number)), time.fromisoformat(clock))


def in_memory(store: Store | None) -> Store:
    """A store in memory: empty, or with what `store` holds."""
    return memory_store(contents_of(store) if store else None)


make_store = in_memory  # conftest.py has some tests run on PostgreSQL


@dataclass
class World:
    """A service whose messages are taken as the test says."""

    service: Service
    store: Store
    sent: list[str] = field(default_factory=list)  # “channel recipient kind: first line”
    outgoing: list[Rendered] = field(default_factory=list)
    refuse: Callable[[Rendered], SendError | None] = lambda _: None
    updates: int = 0

    def copy(self) -> World:
        """This world at this moment; what happens in one of the two is unknown to the other."""
        store = make_store(self.store)
        limits = deepcopy(self.service.limits)
        return replace(
            self,
            service=replace(
                self.service,
                store=store,
                limits=limits,
                bot_names={**self.service.bot_names},
                _leaving={},
                _trouble=None,
            ),
            store=store,
            sent=[*self.sent],
            outgoing=[*self.outgoing],
        )

    def tick(self, now: datetime) -> list[str]:
        """One tick and all that it sends; what was sent."""
        self.service.tick(now)
        return self.deliver(now)

    def deliver(self, now: datetime) -> list[str]:
        """Sends what is due at `now`; a summary of each message that was accepted."""
        before = len(self.sent)
        while outgoing := self.service.lease(now, 10):
            for rendered in outgoing:
                error = self.refuse(rendered)
                if error is not None:
                    self.service.failed(rendered, error, now)
                    continue
                self.outgoing.append(rendered)
                self.sent.append(summary(rendered))
                self.service.sent(rendered, str(1000 + len(self.outgoing)), now)
        return self.sent[before:]

    def says(self, who: str, text: str, now: datetime, **more: object) -> list[str]:
        """`who` writes by Telegram; what was sent in answer, edits and words to others too."""
        self.updates += 1
        chat = CHATS.get(who, who)
        values: dict[str, object] = {
            "channel": TELEGRAM,
            "update": f"{self.updates}",
            "sender": chat,
            "chat": chat,
            "private": True,
            "text": text,
            "message": f"{9000 + self.updates}",
        }
        self.service.receive(Inbound(**{**values, **more}), now)  # type: ignore[arg-type]
        return self.deliver(now)

    def states(self) -> dict[str, int]:
        """How many rows stand in each state; states without rows left out."""
        return {k: n for k, n in self.store.counts().items() if n}

    def events(self) -> list[str]:
        """The ledger as “kind task.number period unit by”."""
        return [
            " ".join(
                (e.kind.value, f"{e.key.task}.{e.key.deliverable}", e.key.period, e.unit, e.by)
            ).strip()
            for e in (recorded.event for recorded in self.store.events())
        ]

    def ended(self, state: RowState) -> list[str]:
        return [
            f"{r.draft.recipient} {r.draft.kind}: {r.error}"
            for r in self.store.rows(states=[state])
        ]


def summary(rendered: Rendered) -> str:
    draft = rendered.row.draft
    return (
        f"{draft.channel} {draft.recipient} {draft.kind}: {rendered.message.text.splitlines()[0]}"
    )


def world(
    plan: Plan,
    scheduler: Scheduler,
    *,
    people: Sequence[Person] = PEOPLE,
    bound: Sequence[str] = tuple(CHATS),
    store: Store | None = None,
    start: datetime = at("22/01", "07:00"),  # noqa: B008  a constant
) -> World:
    """The office on the morning of 22/01/2024, with these people enrolled by Telegram."""
    if store is None:
        return _begun(plan, scheduler, tuple(people), tuple(bound), start).copy()
    return _begin(plan, scheduler, people, bound, store, start)


_BEGUN: dict[tuple[object, ...], World] = {}  # the latest, by what each was begun with
_KEPT = 8


def _begun(
    plan: Plan,
    scheduler: Scheduler,
    people: tuple[Person, ...],
    bound: tuple[str, ...],
    start: datetime,
) -> World:
    """An office in memory that has just begun, which tests get a copy of."""
    key = (id(plan), id(scheduler), people, bound, start)
    if key not in _BEGUN:
        if len(_BEGUN) == _KEPT:
            del _BEGUN[next(iter(_BEGUN))]
        _BEGUN[key] = _begin(plan, scheduler, people, bound, in_memory(None), start)
    return _BEGUN[key]


def _begin(
    plan: Plan,
    scheduler: Scheduler,
    people: Sequence[Person],
    bound: Sequence[str],
    kept: Store,
    start: datetime,
) -> World:
    for name in bound:
        kept.bind(name, TELEGRAM, CHATS[name], start)
    files = Files(plans=(plan,), people=tuple(people), scheduler=scheduler)
    service = Service(
        store=kept,
        renderer=RowRenderer().render,
        office=Office(files=files, channels=(TELEGRAM, EMAIL), known=known_channels()),
        bot_names={TELEGRAM: "nhac_bot"},
    )
    service.begin(start)
    return World(service, kept)


def documents_in(store: Store, scheduler: Scheduler) -> Documents:
    """The texts of `store`, read as the program reads them."""

    def make(texts: Sources) -> Files:
        plans = tuple(map(load_plan, texts.plans))
        units = {unit.id: unit for plan in plans for unit in plan.units}
        people = load_people(texts.people, units, known_channels()) if texts.people else ()
        return Files(plans=plans, people=people, scheduler=scheduler)

    return Documents(store, make)
