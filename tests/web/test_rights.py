"""The page and the API give what chat gives: for any sender, any work, any act."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminder.decisions import buttons
from reminder.decisions.outcome import typed
from reminder.domain.plan import Key
from reminder.domain.schedule import Scheduler
from reminder.domain.tokens import hash_code
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan
from reminder.store.web import Session, Token
from reminder.web import acts
from reminder.web.site import FieldError
from reminder.web.twins import place_of
from tests.conftest import ROOT, examples
from tests.services.world import PEOPLE, World, at, world
from tests.web.browser import Town

NOW = at("05/02", "09:00")
HISTORY = (
    ("an", "xong 1c"),
    ("an", "gia hạn 1d báo cáo 28/02 chờ số liệu"),
    ("chi", "trình ký 5c"),
    ("dung", "xong 2c tháng 01"),
    ("chi", "xong 2e"),
)
WHY = ("", "chờ số liệu", "<b>thiếu</b> & phụ lục")
PAPERS = ("", "số 12/QĐ-UBND ngày 30/01")
READ_AS_TALK = ("xong", "trinh-ky", "tra-lai", "hoan-tac")  # a form's reason is no talk
DAYS = ("", "28/02", "15/3", "2024-02-20", "30/01", "mai mốt")


@cache
def office() -> World:
    """An office in which some things have been said within the hour."""
    plan = load_plan(ROOT / "data/plan2024.toml")
    scheduler = Scheduler(load_calendar(ROOT / "config/calendar.toml", [2024, 2025]))
    found = world(plan, scheduler)
    found.tick(at("05/02"))
    for who, text in HISTORY:
        found.says(who, text, NOW - timedelta(minutes=9))
    return found


def recorded(of: World) -> list[tuple[Any, ...]]:
    """What was recorded since, and who is nudged for it, without by which way it was said."""
    new = of.store.events()[len(office().store.events()) :]
    events = [(e.kind.value, e.key, e.unit, e.by, e.until) for e in (one.event for one in new)]
    nudges = [row.draft for row in of.store.rows(kind="nudge") if row.draft.slot == NOW]
    return [*events, *((one.recipient, one.payload) for one in nudges)]


def by_page(of: World, person: str, key: Key, act: str, fields: dict[str, str]) -> int:
    """The status of the form."""
    town = Town(of, NOW)
    of.store.add_session(
        Session(hash=hash_code("s"), person=person, made_at=NOW, seen_at=NOW, kept=False, agent="")
    )
    browser = town.browser()
    browser.cookies.set("nv", "s", domain="127.0.0.1")
    revision = of.service.refresh().states[key].revision
    sent = {"nonce": "n" * 16, "revision": str(revision), **fields}
    return browser.post(f"/viec/{place_of(key)}/{act}", list(sent.items())).status


def by_api(of: World, person: str, key: Key, act: str, fields: dict[str, str]) -> int:
    town, until = Town(of, NOW), NOW + timedelta(days=1)
    of.store.add_token(
        Token(hash=hash_code("nv_1"), person=person, name="1", acts=True, expires_at=until)
    )
    note = fields["noi-dung"] if act in ("ghi-chu", "cap-nhat") else fields["ly-do"]
    body = {
        "key": place_of(key),
        "act": act,
        "revision": of.service.refresh().states[key].revision,
        "note": note,
        "evidence": fields["van-ban"],
        "until": fields["ngay"],
    }
    headers = {"authorization": "Bearer nv_1"}
    answer = town.browser().request("POST", "/api/v1/acts", json=body, headers=headers)
    return answer.status_code


def as_typed(key: Key, act: str, fields: dict[str, str]) -> str | None:
    """The form as a message says it; None: a field can't be read."""
    states = office().service.office.states
    target = buttons.target_of(key, states, office().service.office.by_plan)
    if len(states[key].occurrence.task.deliverables) == 1:
        target = replace(target, deliverables=())
    try:
        return typed(acts._command(act, target, states[key], fields, NOW.date()))
    except FieldError:
        return None


@settings(max_examples=examples(20), deadline=None)
@given(
    person=st.sampled_from([one.id for one in PEOPLE]),
    place=st.integers(min_value=0, max_value=500),
    act=st.sampled_from(acts.ACTS),
    why=st.sampled_from(WHY),
    paper=st.sampled_from(PAPERS),
    day=st.sampled_from(DAYS),
)
@example(person="chi", place=85, act="xong", why="", paper="", day="")  # a part of BC
@example(person="chi", place=257, act="nhac-ngay", why="", paper="", day="")  # nobody is there
def test_page_and_api_give_what_chat_gives(
    person: str, place: int, act: str, why: str, paper: str, day: str
) -> None:
    """The same events or none; 403 where chat refuses for want of a right."""
    states = office().service.refresh().states
    key = sorted(states)[place % len(states)]
    if act in READ_AS_TALK:
        why = ""
    fields = {"ly-do": why, "noi-dung": why, "van-ban": "", "ngay": day, "khac": ""}
    fields |= {"van-ban": paper} if act == "xong" else {}
    page, api, chat = office().copy(), office().copy(), office().copy()
    statuses = by_page(page, person, key, act, fields), by_api(api, person, key, act, fields)
    done = recorded(page)
    assert recorded(api) == done
    assert {status == 200 for status in statuses} == {bool(done)}
    words = as_typed(key, act, fields)
    if words is None:
        assert statuses == (422, 422)
        return
    chat.says(person, words, NOW)
    assert recorded(chat) == done, (words, statuses)
