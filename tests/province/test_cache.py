"""Services by office: made of what the database holds, renewed, shared, bounded."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from reminder.domain.errors import ReminderError
from reminder.files.documents import OWN, PEOPLE
from reminder.store.offices import Stores
from tests.province.kit import (
    BEGUN,
    PEOPLE_TEXT,
    PLAN,
    Clock,
    add_account,
    add_office,
    cache_of,
    plan_id,
    put,
)


def test_an_office_has_the_plan_people_and_channels_that_the_database_gives_it(
    stores: Stores, clock: Clock
) -> None:
    add_account(
        stores,
        "mail",
        "email",
        '{"host": "smtp.example.vn", "sender": "a@example.vn", "username": "u"}',
    )
    add_office(stores, "an-khe", chats="1")
    stores.link("an-khe", "email", "mail")
    cache = cache_of(stores, clock)
    office = cache.service("an-khe").refresh()
    assert office.id == "an-khe"
    assert [plan.id for plan in office.plans] == [plan_id(PLAN)]
    assert sorted(office.people) == ["an", "chi", "lan"]
    assert office.channels == ("telegram", "email")
    assert office.one_way == {"email"}, "no account reads what is answered by mail"
    assert office.address("an", "telegram") is not None
    assert cache.accounts("an-khe") == {"telegram": "bot", "email": "mail"}
    assert cache.settings("an-khe").email.sender == "a@example.vn"
    assert cache.settings("an-khe").telegram.token.value == "env:BOT", "never the secret itself"
    links = cache.links("an-khe")
    assert links is not None
    assert links.report("p", "q").startswith("https://nhacviec.example.vn/p/an-khe/bao-cao/")


def test_a_channel_without_an_account_is_none_of_the_office(stores: Stores, clock: Clock) -> None:
    add_office(stores, "a", account="")
    assert cache_of(stores, clock).service("a").office.outside == ()


def test_an_office_may_have_hours_and_names_of_its_own(stores: Stores, clock: Clock) -> None:
    own = '[schedule]\nslot = "07:45"\n[report]\nplace = "An Khê"\n[web]\neditors = ["chi"]'
    add_office(stores, "a", own=own)
    add_office(stores, "b")
    cache = cache_of(stores, clock)
    one, other = cache.service("a").office, cache.service("b").office
    assert (one.scheduler.policy.slot, other.scheduler.policy.slot) == (time(7, 45), time(8))
    assert (one.files.letterhead.place, other.files.letterhead.place) == ("An Khê", "")
    assert cache.settings("a").web.editors == ("chi",)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("hcm", "tasks = ", "hcm:1"),
        (PEOPLE, '[[person]]\nid = "an"', "people:1"),
        (OWN, "[telegram]", "office:1: không có bảng “telegram”"),
    ],
)
def test_a_faulty_text_is_named_with_its_line(
    stores: Stores, clock: Clock, name: str, text: str, said: str
) -> None:
    add_office(stores, "a")
    put(stores.of("a"), name, text)
    with pytest.raises(ReminderError, match=said):
        cache_of(stores, clock).service("a")


def test_no_service_is_made_of_an_unknown_or_a_retired_office(stores: Stores, clock: Clock) -> None:
    add_office(stores, "a")
    stores.retire_office("a", BEGUN)
    cache = cache_of(stores, clock)
    with pytest.raises(ReminderError, match="không có phường “x”"):
        cache.service("x")
    with pytest.raises(ReminderError, match="“a” đã thôi dùng"):
        cache.service("a")


def test_a_changed_text_or_account_is_taken_up_and_nothing_else_is_read_anew(
    stores: Stores, clock: Clock
) -> None:
    add_office(stores, "a")
    cache = cache_of(stores, clock)
    before = cache.service("a")
    clock.moment += timedelta(minutes=1)
    assert cache.service("a") is before
    put(stores.of("a"), PEOPLE, PEOPLE_TEXT.replace('"An"', '"An Bình"'))
    assert cache.service("a") is before, "asked again only after some seconds"
    clock.moment += timedelta(minutes=1)
    assert cache.service("a").office.people["an"].name == "An Bình"
    add_account(stores, "zalo", "zalo")
    stores.link("a", "zalo", "zalo")
    clock.moment += timedelta(minutes=1)
    assert cache.service("a").office.channels == ("telegram", "zalo")


def test_many_offices_are_looked_at_by_as_many_statements_as_one(
    stores: Stores, clock: Clock
) -> None:
    for office in "abc":
        add_office(stores, office)
    cache = cache_of(stores, clock)
    services = {office: cache.service(office) for office in "abc"}
    clock.moment += timedelta(minutes=1)
    put(stores.of("b"), PEOPLE, PEOPLE_TEXT + "\n")
    cache.look("ab", "bot")
    renewed = [cache.service(office) is not services[office] for office in "abc"]
    assert renewed == [False, True, False]


def test_copies_of_a_plan_are_one_plan_and_near_copies_share_their_tasks(
    stores: Stores, clock: Clock
) -> None:
    """Whatever the office is called in it, what can be said on which day is reckoned once."""
    title = next(line for line in PLAN.splitlines() if line.startswith("title"))
    add_office(stores, "a")
    add_office(stores, "b")
    add_office(stores, "c", plan=PLAN.replace(title, 'title = "Kế hoạch của phường khác"'))
    cache = cache_of(stores, clock)
    one, copy, near = (cache.service(office).office for office in "abc")
    assert one.plans[0] is copy.plans[0]
    assert one.files.stage_index is copy.files.stage_index
    assert near.plans[0].title == "Kế hoạch của phường khác"
    assert near.plans[0].tasks is one.plans[0].tasks
    assert near.files.stage_index.occurrences is one.files.stage_index.occurrences
    assert near.files.stage_index.plans == near.plans
    assert next(iter(near.states.values())) is next(iter(one.states.values()))


def test_the_offices_that_were_not_asked_for_longest_give_way(stores: Stores, clock: Clock) -> None:
    for office in "abc":
        add_office(stores, office)
    cache = cache_of(stores, clock, most=2)
    cache.service("a")
    cache.service("b")
    cache.service("a")
    cache.service("c")
    assert ["a" in cache, "b" in cache, "c" in cache] == [True, False, True]
    small = cache_of(stores, clock, room=1)
    small.service("a")
    small.service("b")
    assert ["a" in small, "b" in small] == [False, True]


def test_what_was_done_elsewhere_counts_at_once(stores: Stores, clock: Clock) -> None:
    """Another process has bound a chat: the office's service knows it when it is refreshed."""
    add_office(stores, "a")
    service = cache_of(stores, clock).service("a")
    stores.of("a").bind("an", "telegram", "7", BEGUN)
    assert service.refresh().address("an", "telegram") is not None
