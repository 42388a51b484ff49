"""Every message there is: made from every payload, with every branch of its template taken."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import CodeType
from typing import Any, TypeGuard

import pytest

from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft, Row, RowState
from reminder.domain.payloads import (
    VIEWS,
    BindInGroup,
    ClosedNotice,
    Confirmed,
    DateSet,
    Digest,
    Envelope,
    Escalation,
    ExtensionAsked,
    Help,
    Items,
    ListedBack,
    Nudge,
    OpenTasks,
    PageLink,
    Payload,
    PlanOver,
    PlanStarted,
    QuotaUsed,
    ReopenAsked,
    ReportDraft,
    Request,
    SignIn,
    Unreached,
    Unreadable,
    Updated,
    decode,
    encode,
)
from reminder.domain.people import Address, Person
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Item, Stage
from reminder.domain.weblinks import WebLinks
from reminder.messages import compose, escalation, notices, questions
from reminder.messages.context import Context
from reminder.messages.digest import digest_of, page_sections, weekly, zalo
from reminder.messages.nudge import Drafts, Off, nudge
from reminder.messages.rows import MESSAGES, render
from reminder.services.history import Past, Reminded
from reminder.services.quota import Quota
from reminder.services.status import Fault, Health, Slot, Unreachable, Why
from tests.messages import digest_scenes
from tests.messages.cases import CHECK_IN, DAY, KEYS, MONTH, OFF, WHEN, event, payloads
from tests.messages.office import at, documented, done, key, plan, said, scene
from tests.messages.samples import messages as samples
from tests.messages.test_digest import crowded

PLAN, UNDATED = "cchc-2024", key("2g")
PEOPLE = {"an": "tu-phap", "binh": "van-phong", "chu": "lanh-dao"}


def staffed(context: Context, people: Mapping[str, str] = PEOPLE) -> Context:
    """The office with an officer, one of its own and a leader, none of whom is reached."""
    found = tuple(
        Person(id=who, name=who.capitalize(), units=(unit,), channels=("telegram",))
        for who, unit in people.items()
    )
    files = replace(context.office.files, people=found)
    return replace(context, office=replace(context.office, files=files, channels=("telegram",)))


def with_page(context: Context, recipient: str, channel: str = "email") -> Context:
    """The same in a message to `recipient`, where the page is on."""
    draft = Draft(
        slot=WHEN, recipient=recipient, kind="nudge", channel=channel, payload=Nudge(items=()),
        due_at=WHEN,
    )  # fmt: skip
    row = Row(id=1, draft=draft, state=RowState.LEASED, due_at=WHEN)
    links = WebLinks(base_url="https://nv.example", secret=b"s")
    return replace(staffed(context), row=row, links=links)


USED = Quota(month=date(2024, 2, 1), limit=3000, received=900, sent=1500)


def scenes() -> list[Context]:
    """The office at the start, in the middle of work, and when all of it is done."""
    of = key("1c")
    busy = [
        done(at("2024-01-29"), key("1d", 1), "tu-phap", evidence="12/QĐ"),
        said(EventKind.SUBMITTED, WHEN, of, "tu-phap"),
        said(EventKind.EXTENSION_ASKED, WHEN, of, "tu-phap", until=DAY, note="chờ"),
        said(EventKind.EXTENSION_ASKED, WHEN, UNDATED, "van-phong", until=DAY),
        said(EventKind.NOTED, WHEN, of, "tu-phap", note="chờ số liệu"),
        said(EventKind.ANSWERED, WHEN, key("1d", 2), "tu-phap", note="chưa xong"),
        said(EventKind.DUE_SET, WHEN, key("4b"), "van-phong", until=OFF),
        done(WHEN, MONTH, "tu-phap"),
        *(said(EventKind.HELD, WHEN, k, "van-phong", until=date(2024, 3, 1)) for k in KEYS[:2]),
    ]
    closed = [
        done(WHEN, state.key, unit, evidence="12/QĐ")
        for state in scene("2024-01-30").states.values()
        for unit in state.open_units
    ]
    found = [scene("2024-01-30", busy), scene("2024-02-20", closed)]
    found.append(scene("2024-01-30", plans=(documented(),)))
    named = {"until": date(2024, 1, 25), "evidence": "2024-01-18", "note": "công văn 5"}
    told = [said(EventKind.EVENT_NAMED, WHEN, UNDATED, "tu-phap", **named)]
    found.append(scene("2024-01-30", told, plans=(documented(),)))
    return [scene("2024-01-30"), scene("2024-12-31"), *(staffed(context) for context in found)]


def test_every_payload_has_its_message() -> None:
    """A function or a block of its name, and a case of each; the schedule's are made of a row."""
    of_rows = {Nudge, Escalation, Request}
    said_alone = {cls for cls in VIEWS.values() if cls not in {*of_rows, Items, Unreadable}}
    assert set(MESSAGES) <= said_alone
    assert all(compose._template(cls.view.replace("-", "_")) for cls in said_alone - set(MESSAGES))
    assert {type(payload) for payload in payloads()} == said_alone
    with pytest.raises(KeyError, match="nothing_of_the_kind"):
        compose.block_text("nothing-of-the-kind")


def test_every_payload_survives_the_outbox() -> None:
    """As JSON and back, with and without where it goes; unknown JSON is kept as it is."""
    item = Item(key("1c"), date(2024, 1, 31), Stage(-5))
    of_rows = [
        ("nudge", Nudge(items=(("tu-phap", item),), insist="binh")),
        ("nudge", Nudge(items=(("tu-phap", item),), insist="")),
        ("escalation", Escalation(items=(("van-phong", item),))),
        ("request", Request(items=(("van-phong", item),))),
        ("digest", Digest(head=(3, "ab"))),
    ]
    envelope = Envelope(chat="5", reply_to="7", subject="x", thread=("1", "2"), again=True)
    edit = Envelope(edit="17", asked=WHEN)
    for kind, payload in [*of_rows, *(("reply", each) for each in payloads())]:
        for around in (Envelope(), envelope):
            raw = json.loads(json.dumps(encode(payload, around)))
            assert decode(kind, raw) == (payload, around)
    for kind, payload in of_rows[:1] + of_rows[3:4]:
        around = replace(edit, asked=None) if kind == "nudge" else edit
        raw = json.loads(json.dumps(encode(payload, around)))
        assert decode("edit", raw) == (payload, around)
    for raw in ({"view": "of-long-ago", "data": {}}, {"items": [["x"]]}, {}):
        assert decode("nudge", raw) == (Unreadable(raw=raw), Envelope())
        assert encode(Unreadable(raw=raw)) == raw


def test_what_an_earlier_release_wrote_is_read() -> None:
    """What the schedule says had no name; “insist” may be true, and a missing date empty."""
    told = {"items": [["tu-phap", "cchc-2024", "1c", 1, "2024", "2024-01-31", "lead-5"]]}
    items = (("tu-phap", Item(key("1c"), date(2024, 1, 31), Stage(-5))),)
    assert decode("nudge", told | {"insist": True})[0] == Nudge(items=items, insist="")
    assert decode("escalation", told)[0] == Escalation(items=items)
    assert decode("request", told)[0] == Request(items=items)
    assert decode("digest", {"items": [], "head": [3, "ab"]})[0] == Digest(head=(3, "ab"))
    assert decode("edit", told | {"edit": "17"}) == (Nudge(items=items), Envelope(edit="17"))
    asked = {"edit": "17", "asked": WHEN.isoformat()}
    assert decode("edit", told | asked) == (Request(items=items), Envelope(edit="17", asked=WHEN))
    given = done(WHEN, key("1c"), "tu-phap")
    undated = encode(DateSet(event=given))
    undated["data"]["before"] = ""
    assert decode("reply", undated)[0] == DateSet(event=given)


def test_a_payload_tells_which_occurrences_it_names() -> None:
    """Each once: what the outbox is searched by."""
    of = key("1c")
    named: dict[type[Payload], set[Key]] = defaultdict(set)
    for payload in payloads():
        found = payload.occurrences()
        assert len(found) == len(set(found))
        named[type(payload)] |= set(found)
    silent = {cls for cls, keys in named.items() if not keys}
    assert {cls.view for cls in silent} >= {"stranger", "help", "tasks", "zalo"}
    twice = tuple((unit, Item(of, DAY, Stage(0))) for unit in ("tu-phap", "van-phong"))
    assert Nudge(items=twice).occurrences() == (of,)
    assert PlanStarted(plan="x", late=(of, MONTH), held=DAY).occurrences() == (of, MONTH)


@contextmanager
def traced() -> Iterator[dict[str, set[int]]]:
    """The lines of the templates' code that give out text within, by the template's file.

    The code counts them itself: a trace function would be called by all of the program.
    """
    environment, ran = compose._environment(), defaultdict[str, set[int]](set)

    def counting(source: str, filename: str) -> CodeType:
        lines = source.splitlines()
        for number, line in enumerate(lines, start=1):
            if _GIVES.match(text := line.strip()):
                indent = line[: -len(text)]
                lines[number - 1] = f"{indent}environment.ran[{filename!r}].add({number}); {text}"
        return compile("\n".join(lines), filename, "exec")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "_compile", counting)
        patch.setattr(environment, "ran", ran, raising=False)
        patch.setattr(environment, "cache", {})
        compose._template.cache_clear()
        yield ran
    compose._template.cache_clear()


def lines_of(template: str) -> dict[int, str]:
    """The lines of a template's code that give out text; of a family's file those of its blocks."""
    environment = compose._environment()
    assert environment.loader is not None
    source, path, _ = environment.loader.get_source(environment, template)
    generated = environment.compile(source, template, path, raw=True).splitlines()
    functions = [c for c in environment.compile(source, template, path).co_consts if _is_code(c)]
    blocks = [code for code in functions if code.co_name.startswith("block_")]
    whole = [each for code in blocks or functions for each in _within(code)]
    numbers = {line for code in whole for _, _, line in code.co_lines() if line is not None}
    return {n: text for n in numbers if _GIVES.match(text := generated[n - 1].strip())}


_GIVES = re.compile(r"yield |t_\d+\.(append|extend)\(")  # the latter in a macro, or a set block


def _within(code: CodeType) -> Iterator[CodeType]:
    """`code` and the macros in it."""
    yield code
    for constant in code.co_consts:
        if _is_code(constant):
            yield from _within(constant)


def _is_code(constant: object) -> TypeGuard[CodeType]:
    return isinstance(constant, CodeType)


@pytest.mark.thorough
def test_every_branch_of_every_template_is_taken() -> None:
    """By the samples, by every payload in every state of affairs, and by crowds."""
    with traced() as ran:
        samples()
        crowds()
        nudges()
        late_work()
        digests()
        found = scenes()
        for context in (*found, *map(one_way, found[::2])):
            for payload in payloads():
                render(context, payload)
        for context in (with_page(s, person) for s in found[2:4] for person in PEOPLE):
            for payload in payloads():
                if isinstance(payload, SignIn | PageLink | ExtensionAsked | ReopenAsked):
                    render(context, payload)
            questions.waiting(context, KEYS)
            weekly(context, digest_of(context), attached=True)
        in_chat = with_page(found[2], "an", "zalo")
        for payload in payloads():
            render(in_chat, payload)
        no_groups = replace(in_chat, office=replace(in_chat.office, channels=("zalo",)))
        render(no_groups, BindInGroup())
        mail = Address(recipient="an", channel="email", value="a@x.vn", bound_at=WHEN)
        person = Person(id="an", name="An", units=("van-phong",), channels=("email",))
        files = replace(in_chat.office.files, people=(person,))
        mailed = replace(in_chat.office, files=files, channels=("email",), addresses=(mail,))
        draft = ReportDraft(plan=PLAN, period="2024-Q1")
        for context in (replace(in_chat, office=mailed), replace(in_chat, links=None)):
            render(context, draft)
        alone = staffed(found[2])  # who is reached at the terminal, and nowhere else
        alone = replace(alone, office=replace(alone.office, channels=("console",)))
        used = QuotaUsed(channel="console", received=9, sent=81, limit=100, full=False, until=DAY)
        render(alone, used)
        one_way_mails()
        compose.message(scene("2024-01-30"), "test", person=Person(**AN), channel="Telegram")
        for settled in settling():
            later = staffed(scene("2024-02-20", settled))
            questions.decided(later, KEYS, WHEN)
            questions.day_set(later, key("1c"), WHEN)
            notices.plan_settled(later, PlanStarted(plan=PLAN, late=KEYS, held=DAY), WHEN)
    missed = {}
    for name in compose._environment().list_templates():
        path = str(Path(compose.__file__).parent / "templates" / name)
        left = [text for n, text in sorted(lines_of(name).items()) if n not in ran[path]]
        if left:
            missed[name] = left
    assert missed == {}


AN: Mapping[str, Any] = {"id": "an", "name": "An", "units": ("tu-phap",), "channels": ("email",)}


def one_way(context: Context) -> Context:
    """The same by mail, in an office where nobody reads what is written back."""
    payload = Digest()
    draft = Draft(
        slot=WHEN, recipient="an", kind="nudge", channel="email", payload=payload, due_at=WHEN
    )
    row = Row(id=1, draft=draft, state=RowState.LEASED, due_at=WHEN)
    mail = frozenset({"email"})
    return replace(
        context, row=row, office=replace(context.office, channels=("email",), one_way=mail)
    )


def one_way_mails() -> None:
    """Nudges, escalations, requests and digests there."""
    of, due = key("1c"), date(2024, 1, 31)
    asked = said(EventKind.EXTENSION_ASKED, WHEN, of, "tu-phap", until=DAY, note="chờ")
    for day in ("2024-01-29", "2024-01-31", "2024-02-01", "2024-03-11"):
        context = one_way(scene(day, [asked] if day == "2024-02-01" else []))
        one, other = Item(of, due, Stage(0)), Item(MONTH, due, Stage(0))
        check_in = Item(CHECK_IN, date(2024, 3, 10), Stage(-3))
        for items in ([one], [one, other], [check_in], [one, check_in]):
            nudge(context, {"tu-phap": items})
        escalation.to_office(context, [one])
        escalation.to_leaders(context, [one])
        questions.waiting(context, [of])
        weekly(context, digest_of(context), mailed=True, attached=True)
    render(one_way(staffed(scene("2024-01-30"))), Unreached())


def crowd(code: str, count: int) -> Plan:
    """The plan with `count` tasks like this one, each of its own name."""
    task = plan().by_code[code]
    many = (replace(task, code=f"{n}{code[-1]}", title=f"Việc {n}") for n in range(1, count + 1))
    return replace(plan(), tasks=tuple(many))


def crowds() -> None:
    """More than is told in full, of all that is listed."""
    for code, day in (
        ("1c", "2024-02-20"),
        ("1a", "2024-03-12"),
        ("2g", "2024-02-20"),
        ("4b", "2024-02-20"),
    ):
        context = scene(day, (), [crowd(code, 42)])
        keys = tuple(k for k, s in context.states.items() if s.occurrence.opens <= context.today)
        item = tuple(Item(k, s.due, Stage(1)) for k in keys if (s := context.states[k]).due)
        nudge(context, {"tu-phap": item})
        escalation.to_office(context, item)
        escalation.to_leaders(context, item)
        events = [event(EventKind.DONE, k) for k in keys]
        asked = [event(EventKind.EXTENSION_ASKED, k, until=date(2024, 4, 1)) for k in keys]
        held = [said(EventKind.HELD, WHEN, k, "van-phong", until=date(2024, 4, 1)) for k in keys]
        closed = scene(day, events, [crowd(code, 42)])
        render(closed, ClosedNotice(keys=keys, leaders=True))
        for payload in (
            ListedBack(keys=keys, typed="xong 1c"),
            Confirmed(keys=keys),
            Updated(events=tuple(events[:40]), units=("tu-phap",)),
            OpenTasks(units=(), every=True),
            Help(office=True, leader=False),
        ):
            render(context, payload)
        render(scene(day, held, [crowd(code, 42)]), Confirmed(keys=keys[:2]))
        questions.waiting(scene(day, asked, [crowd(code, 42)]), keys)
        started = PlanStarted(plan=PLAN, late=keys, held=DAY)
        render(scene(day, held, [crowd(code, 42)]), started)
        settled = [replace(each, by="binh") for each in held]
        notices.plan_settled(scene(day, settled, [crowd(code, 42)]), started, WHEN)
    render(staffed(scene(day), {f"p{n}": "tu-phap" for n in range(13)}), Unreached())
    render(scene("2025-02-03"), PlanOver(plan=PLAN))


def nudges() -> None:
    """Shared work, dates that are assumed, work that rests, files, and colleagues who are away."""
    away = Off(away={"tu-phap": [("An", DAY), ("Bình", DAY), ("Cúc", DAY)]})
    for place in ("attached", "mail", "chat", "mailed", "page", "nowhere"):
        month = Item(MONTH, date(2024, 1, 31), Stage(0))
        nudge(
            scene("2024-01-31"), {"tu-phap": [month]}, drafts=Drafts(names=("quý I",), place=place)
        )
    both = {"tu-phap": [month], "van-phong": [month]}
    first = Item(key("1c"), month.due, Stage(0))
    for day in ("2024-01-31", "2024-02-01"):
        nudge(with_page(scene(day), "an"), {"tu-phap": [first]})
        nudge(with_page(scene(day), "an"), {"tu-phap": [month, first]})
        nudge(
            with_page(scene(day), "an"), {"tu-phap": [Item(CHECK_IN, date(2024, 3, 10), Stage(-3))]}
        )
    for day in ("2024-01-31", "2024-02-01", "2024-02-07"):
        nudge(scene(day), both, off=away)
        nudge(scene(day), {"tai-chinh-ke-toan": [Item(key("4b"), month.due, Stage(0))]})
        nudge(scene(day), {"tu-phap": [month, Item(key("1c"), month.due, Stage(0))]})
        asked = [Item(CHECK_IN, date(2024, 3, 10), Stage(-3))]
        later = Item(key("1d"), date(2024, 2, 20), Stage(-5))
        nudge(scene(day), {"tu-phap": [month, later]})
        moved = said(EventKind.DUE_SET, WHEN, key("1c"), "van-phong", until=date(2024, 2, 20))
        nudge(scene(day, [moved]), {"tu-phap": [month, Item(key("1c"), later.due, Stage(-5))]})
        nudge(scene(day), {"tu-phap": [*asked, Item(key("1c"), month.due, Stage(0))]})
        nudge(scene(day, plans=(documented(),)), {"tu-phap": asked})
    months = [key("2c", period=f"2024-0{n}") for n in (1, 2, 3)]
    nudge(scene("2024-04-10"), {"tu-phap": [Item(k, month.due, Stage(3)) for k in months]})
    finished = [done(WHEN, MONTH, unit) for unit in plan().by_code["2c"].lead]
    snoozed = [said(EventKind.SNOOZED, WHEN, MONTH, "tu-phap", until=date(2024, 2, 9))]
    signing = [said(EventKind.SUBMITTED, WHEN, MONTH, "tu-phap")]
    for events in (finished, snoozed, signing):
        nudge(scene("2024-01-31", events), {"tu-phap": [month]}, edit="17")


def late_work() -> None:
    """Late work that was moved, waits for a signature, or was answered by unit and office."""
    of, due = key("1c"), date(2024, 1, 31)
    told = tuple(Item(k, due, Stage(3)) for k in (of, key("4b"), CHECK_IN))
    moved = said(EventKind.DUE_SET, WHEN, of, "van-phong", until=date(2024, 2, 1), note="chờ")
    signing = said(EventKind.SUBMITTED, WHEN, of, "tu-phap")
    heard = said(EventKind.ANSWERED, WHEN, of, "tu-phap", note="chưa xong")
    noted = [said(EventKind.NOTED, WHEN, of, unit, note="chờ") for unit in ("van-phong", "tu-phap")]
    asked = said(EventKind.EXTENSION_ASKED, WHEN, of, "tu-phap", until=DAY, note="chờ")
    held = said(EventKind.HELD, WHEN, of, "van-phong", until=date(2024, 3, 1))
    pasts = (
        Past(told={of: WHEN}),
        Past(leaving=frozenset([of])),
        Past(silent=frozenset(["lanh-dao"])),
        Past(),
    )
    escalation.to_office(with_page(scene("2024-02-02"), "binh"), told)
    reminded = {of: Reminded(count=6, channels=("telegram", "email"), last=WHEN)}
    for events in ([moved], [moved, signing], [heard], noted[:1], noted, [asked], [held]):
        for day in ("2024-02-01", "2024-02-20", "2024-12-20"):
            context = scene(day, events)
            for items in (told, told[:1]):
                for past in pasts:
                    later = replace(context, past=replace(past, reminded=reminded))
                    escalation.to_office(later, items)
                escalation.to_leaders(replace(context, past=Past(told={of: WHEN})), items)
    over = scene("2025-02-20")
    escalation.to_office(over, [Item(key("4a"), date(2024, 12, 31), Stage(3))])


def settling() -> Iterator[list[Event]]:
    """What can become of a request, and of a plan's dates."""
    asked = event(EventKind.EXTENSION_ASKED, key("1c"), until=DAY)
    for kind in EventKind:
        if kind not in (EventKind.AWAY, EventKind.BACK):
            day = DAY.isoformat() if kind is EventKind.EVENT_NAMED else ""
            answer = said(
                kind, at("2024-01-30"), key("1c"), "tu-phap", by="binh", until=OFF, evidence=day
            )
            yield [asked, answer]


def digests() -> None:
    """Weeks with and without a digest before, crowds, every fault, and each state of health."""
    people = [
        Unreachable(
            unit="tu-phap",
            person=Person(id=f"p{n}", name=f"P{n}", units=("tu-phap",), channels=("telegram",)),
            faults=(
                Fault(channel="telegram", why=why, since=WHEN if n % 2 else None, reason="x"),
                Fault(channel="email", why=Why.NO_ADDRESS),
            ),
        )
        for n, why in enumerate([*Why] * 6)
    ]
    late = tuple(Slot(at=WHEN, said=WHEN if n % 2 else None) for n in range(6))
    down = {"telegram": WHEN}
    healths = (
        Health(slots=9, broken=late, waiting=1, lost=1, unknown=1, down=down, head=(1, "ab")),
        Health(slots=1, sent={"email": WHEN, "telegram": WHEN}, head=(1, "ab")),
        Health(polled={"telegram": WHEN, "zalo": WHEN}, head=(0, ""), quotas={"zalo": USED}),
    )
    made, events = crowded(90, "Việc")
    quarter = key("1a", 1, "2024-Q1")
    others = [
        said(EventKind.SUBMITTED, WHEN, key("1c"), "tu-phap"),
        said(EventKind.ANSWERED, WHEN, key("4b"), "tai-chinh-ke-toan", note="chưa xong"),
        said(EventKind.UPDATED, at("2024-03-08"), quarter, "tu-phap"),
    ]
    month = plan().by_code["2c"]
    dated = tuple(replace(d, assumed=True) for d in month.deliverables)
    monthly = replace(plan(), tasks=(replace(month, deliverables=dated),))
    for day in (
        *("2024-01-01", "2024-01-22", "2024-02-05", "2024-03-04", "2024-03-11", "2024-03-18"),
        *("2024-04-15", "2025-08-04"),
    ):
        for context in (
            scene(day),
            scene(day, [e for e in others if e.at < at(day)]),
            scene(day, (), [monthly]),
            scene(day, [e for e in digest_scenes.lively() if e.at < at(day)]),
            scene(day, events, [made]),
            scene(day, (), [crowd("1a", 42)]),
            scene(day, (), [crowd("2g", 42)]),
        ):
            found = digest_of(context)
            zalo(context)
            for health in healths:
                weekly(context, found, health=health, cut_off=people, attached=True, mailed=True)
            weekly(context, found)
            page_sections(context, found, people)
    thursday = scene("2024-03-21")
    weekly(thursday, digest_of(thursday))
    render(scene("2024-04-01"), ReportDraft(plan=PLAN, period="2024-Q1"))
