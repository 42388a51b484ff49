"""The ledger, with filters and as CSV; who visited the page; the proof of notice of a task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from reminder.decisions.outcome import may_read, reads_all
from reminder.documents.workbook import csv_file
from reminder.domain.calendar import instant, local, local_day
from reminder.domain.ledger import Event, EventKind, absence_of
from reminder.domain.text import fold
from reminder.messages.proof import EVENT_WORDS, proof_file, verdict_words, what_words
from reminder.services.proof import EVERY_ROW, notices, verify
from reminder.store.web import Sight
from reminder.web.pages import GONE, attached, refused, said_by
from reminder.web.site import Visit, files_at, shown_at
from reminder.web.words import Shown

PAGE = 60  # events of a page
GONE_WORK = "(không còn trong kế hoạch)"
VISITS = 40  # entries of the log of sight on it
MOST_VISITS = 100_000  # of them in a file
SIGHTS = {
    "sign-in": "đăng nhập",
    "sign-out": "thoát",
    "refused": "bị từ chối",
    "export": "tải tệp",
    "import": "đưa văn bản vào",
    "proof": "tải bằng chứng",
    "feed": "lịch được cập nhật",
    "token": "tạo mã chương trình",
    "people": "mời, gỡ người",
    "plan": "sửa kế hoạch",
}


def routes() -> list[Route]:
    """The page of the ledger and its files."""
    files = {
        "/so-ghi.csv": events_file,
        "/so-ghi/vao-trang.csv": visits_file,
        "/viec/{plan}/{code}/bang-chung.csv": proof,
    }
    return [*files_at(files), *shown_at({"/so-ghi": ledger})]


@dataclass(frozen=True)
class Wanted:
    """What of the ledger is asked for; empty: all."""

    task: str = ""
    person: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """Return the filter of an address; what can't be read filters nothing."""
        kind = query.get("loai", "")
        return cls(
            task=query.get("viec", "").strip()[:20],
            person=query.get("nguoi", ""),
            kind=kind if kind in set(EventKind) else "",
            since=_day(query.get("tu", "")),
            until=_day(query.get("den", "")),
        )

    @property
    def query(self) -> dict[str, str]:
        """The same as it stands in an address."""
        found = {
            "viec": self.task,
            "nguoi": self.person,
            "loai": self.kind,
            "tu": f"{self.since:%d/%m/%Y}" if self.since else "",
            "den": f"{self.until:%d/%m/%Y}" if self.until else "",
        }
        return {name: value for name, value in found.items() if value}

    def takes(self, event: Event) -> bool:
        """Return whether an event is asked for."""
        day = local_day(event.at)
        return (
            (not self.task or event.key.task.casefold() == self.task.casefold())
            and (not self.person or event.by == self.person)
            and (not self.kind or event.kind.value == self.kind)
            and (not self.since or day >= self.since)
            and (not self.until or day <= self.until)
        )

    def words(self, visit: Visit) -> str:
        """Return the filter in words; empty: nothing is filtered."""
        day = visit.context.day
        said = [
            self.task and f"việc {self.task}",
            self.person and f"do {visit.context.who(self.person)} ghi",
            self.kind and f"loại “{EVENT_WORDS[EventKind(self.kind)]}”",
            f"từ {day(self.since)}" if self.since else "",
            f"đến hết {day(self.until)}" if self.until else "",
        ]
        return ", ".join(filter(None, said))


def _day(text: str) -> date | None:
    """The day of “05/02/2024” or “2024-02-05”."""
    found = re.fullmatch(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*", text)
    iso = f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}" if found else text.strip()
    try:
        return date.fromisoformat(iso)
    except ValueError:
        return None


async def ledger(visit: Visit) -> Response:
    """The newest events that the reader may read; for the office who visited the page, too."""
    query = visit.request.query_params
    wanted = Wanted.of(query)
    sights, verdict = [], ""
    if visit.sender.office:
        sights = await visit.site.do(partial(_sights, visit, wanted, VISITS))
        verdict = await visit.site.do(partial(_verdict, visit)) if "doi-chieu" in query else ""
    make = partial(_ledger, visit, wanted, sights, verdict)
    return await visit.page("ledger.html", make=make)


def _readable(visit: Visit, wanted: Wanted) -> Iterator[Event]:
    """What is asked for and may be read, the newest first."""
    for event in reversed(visit.office.events):
        if not wanted.takes(event):
            continue
        state, sender = visit.office.states.get(event.key), visit.sender
        if absence_of(event) is not None:
            readable = sender.office
        elif state is not None:
            readable = may_read(sender, state.occurrence.task)
        else:  # of work that is gone from the plan
            readable = reads_all(sender)
        if readable:
            yield event


def _ledger(visit: Visit, wanted: Wanted, sights: list[Sight], verdict: str) -> dict[str, Any]:
    found, page = list(_readable(visit, wanted)), visit.page_number
    shown = found[(page - 1) * PAGE : page * PAGE]
    people = visit.office.files.people
    return {
        "rows": [_line(visit, event) for event in shown],
        "total": visit.office.last_number,
        "count": len(found),
        "page": page,
        "pages": max(1, -(-len(found) // PAGE)),
        "wanted": wanted,
        "said": wanted.words(visit),
        "query": urlencode(wanted.query),
        "kinds": {kind.value: EVENT_WORDS[kind] for kind in EVENT_WORDS},
        "people": [(person.id, person.name) for person in people],
        "sights": [_sight(visit, sight) for sight in sights],
        "verdict": verdict,
        "here": "/so-ghi",
    }


def _line(visit: Visit, event: Event) -> dict[str, Any]:
    """One event, in the words of `/lichsu`."""
    context, key, state = visit.context, event.key, visit.office.states.get(event.key)
    absence = absence_of(event)
    base = {"at": context.moment(event.at), "code": key.task, "title": "", "place": ""}
    if absence is not None or state is None:
        name = context.who(absence.person) if absence else context.person(event)
        until = f" {context.day(event.until)}" if event.until else ""
        what = "" if absence else f"{what_words(event, visit.office.plans)} {GONE_WORK}, "
        return base | {"code": "", "line": f"{what}{name}: {EVENT_WORDS[event.kind]}{until}"}
    work = Shown(context, state)
    return base | {
        "title": work.task.title,
        "place": visit.at(work.place),
        "line": said_by(context, event) or EVENT_WORDS[event.kind],
    }


def _verdict(visit: Visit) -> str:
    """Whether the ledger is as it was written. In the store's thread."""
    store = visit.site.service.store
    return verdict_words(verify(store), *store.head())


async def events_file(visit: Visit) -> Response:
    """What is asked for of the ledger, as CSV, the oldest first."""
    wanted = Wanted.of(visit.request.query_params)
    events = list(_readable(visit, wanted))[::-1]
    plans, names = visit.office.plans, visit.office.files.names
    heads = ("Lúc", "Loại", "Kế hoạch", "Mã việc", "Việc", "Bộ phận", "Người ghi", "Kênh",
             "Đến ngày", "Văn bản", "Ghi chú")  # fmt: skip
    rows = [
        (
            local(e.at).isoformat(timespec="seconds"), EVENT_WORDS[e.kind],
            *(("", "", "") if absence_of(e) else (e.key.plan, e.key.task, what_words(e, plans))),
            visit.context.unit(e.unit), names.get(e.by, e.by), e.channel,
            e.until.isoformat() if e.until else "", e.evidence, e.note,
        )
        for e in events
    ]  # fmt: skip
    return await attached(visit, "so-ghi.csv", csv_file(heads, rows))


# ---- who visited the page


def _sights(visit: Visit, wanted: Wanted, limit: int) -> list[Sight]:
    """The entries of the log of sight that the filter lets through. In the store's thread."""
    midnight = partial(instant, clock=time.min)
    following = wanted.until + timedelta(days=1) if wanted.until else None
    return visit.site.service.store.sights(
        person=wanted.person,
        since=midnight(wanted.since) if wanted.since else None,
        until=midnight(following) if following else None,
        limit=limit,
    )


def _sight(visit: Visit, sight: Sight) -> dict[str, Any]:
    what = SIGHTS.get(sight.what, sight.what)
    return {
        "at": visit.context.moment(sight.at),
        "who": visit.office.files.names.get(sight.person, sight.person) or "người lạ",
        "what": what,
        "detail": sight.detail,
    }


async def visits_file(visit: Visit) -> Response:
    """The log of sight as CSV."""
    if not visit.sender.office:
        return await refused(visit, "Tệp này của Văn phòng.")
    wanted = Wanted.of(visit.request.query_params)
    found = await visit.site.do(partial(_sights, visit, wanted, MOST_VISITS))
    rows = [
        (_second(s.at), s.person, SIGHTS.get(s.what, s.what), s.detail, s.session)
        for s in reversed(found)
    ]
    heads = ("Lúc", "Mã người", "Việc", "Chi tiết", "Phiên")
    return await attached(visit, "vao-trang.csv", csv_file(heads, rows))


def _second(at: datetime) -> str:
    return local(at).isoformat(timespec="seconds")


# ---- the proof of notice


async def proof(visit: Visit) -> Response:
    """Who was told what of one task, when, by which channel; as `reminder log --export` has it."""
    path = visit.request.path_params
    plan = visit.office.by_plan.get(path["plan"])
    task = plan.by_code.get(path["code"]) if plan else None
    if plan is None or task is None:
        return await refused(visit, GONE, 404)
    if not may_read(visit.sender, task):
        return await refused(visit, "Việc của bộ phận khác: chỉ xem được tên, bộ phận và hạn.")
    keys = [s.key for s in visit.office.of_plan(plan) if s.key.task == task.code]

    def made() -> bytes:
        rows = visit.site.service.store.rows(naming=keys, limit=EVERY_ROW)
        found = notices(visit.office, rows)
        return proof_file(n for n in found if n.work and n.work.key[:2] == (plan.id, task.code))

    code = re.sub(r"[^a-z0-9.-]", "-", fold(task.code))  # a header is ASCII
    name = f"bang-chung-{code}-{plan.year}.csv"
    return await attached(visit, name, await visit.site.do(made), what="proof")
