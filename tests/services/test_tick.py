"""Ticks and deliveries: who hears what by which way, once, and what happens when that fails."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from reminder.domain.calendar import instant
from reminder.domain.outbox import Outbound, Row, RowState, SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import load_calendar
from reminder.services.deliver import Rendered
from reminder.services.history import Past
from reminder.services.office import Files, Office
from tests.conftest import ROOT
from tests.services.world import EMAIL, PEOPLE, TELEGRAM, World, at, person, world


@pytest.fixture
def office(plan2024: Plan, scheduler: Scheduler) -> World:
    return world(plan2024, scheduler)


def started(office: World) -> World:
    """The office once its plan has started and said so."""
    office.tick(at("22/01", "07:00"))
    office.tick(at("22/01", "07:30"))
    return office


def test_a_start_tells_the_office_and_the_units_that_have_nobody(office: World) -> None:
    """The first tick says what is open, and which units nobody could be told for; once."""
    told = [line.split(": ", 1)[1] for line in office.tick(at("22/01", "07:00"))]
    assert told[0] == "Bắt đầu theo dõi: Kế hoạch cải cách hành chính năm 2024."
    assert [("Địa chính" in line, "VHTT" in line) for line in told[1:]] == [
        (True, False),
        (False, True),
    ]
    assert office.tick(at("22/01", "07:01")) == []


def test_each_hears_at_eight_by_the_first_way_and_once(office: World) -> None:
    """1c lead-7 and 4b lead-7: one message a person, by the first channel that reaches them."""
    started(office)
    assert office.tick(at("24/01", "07:59")) == []
    assert office.tick(at("24/01", "08:00")) == [
        "telegram an nudge: Chào anh/chị. Thứ Tư 24/01, Tư pháp có 1 việc sắp đến hạn:",
        "email binh nudge: Chào anh/chị. Thứ Tư 24/01, Tư pháp có 1 việc sắp đến hạn:",
        "telegram dung nudge: Chào anh/chị. Thứ Tư 24/01, TCKT có 1 việc sắp đến hạn:",
    ]
    assert office.tick(at("24/01", "08:01")) == []
    assert office.tick(at("25/01", "08:00")) == []


def test_a_person_of_two_units_gets_one_message(office: World) -> None:
    """Dung answers for two units: 4b and 2c come in one message."""
    started(office)
    office.tick(at("26/01"))
    mine = [p for p in office.outgoing if p.row.draft.recipient == "dung"]
    assert len(mine) == 1
    assert "4b" in mine[0].message.text
    assert "2c" in mine[0].message.text


def test_a_group_stands_in_for_private_telegram_but_not_for_mail(office: World) -> None:
    """Bound by the office, the unit's group hears the nudge; Binh's mail comes all the same."""
    started(office)
    assert office.says("chi", "/bind tu-phap", at("23/01"), chat="-500", private=False) == [
        "telegram chi reply: Đã nối: nhóm này nhận tin nhắc của Tư pháp."
    ]
    told = office.tick(at("24/01"))
    assert [line.split(": ")[0] for line in told] == [
        "telegram group:tu-phap nudge",
        "email binh nudge",
        "telegram dung nudge",
    ]
    assert office.outgoing[-3].address == "-500"


def test_who_never_pressed_start_gets_the_mail(plan2024: Plan, scheduler: Scheduler) -> None:
    """Without a Telegram address the next channel is the first."""
    office = started(world(plan2024, scheduler, bound=("chi",)))
    told = office.tick(at("24/01"))
    assert [line.split(": ")[0] for line in told] == [
        "email an nudge",
        "email binh nudge",
        "email dung nudge",
    ]


def test_who_can_not_be_reached_at_all_is_told_to_the_office(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """A person without any address: the row is dead with its reason, the office hears it."""
    alone = replace(person("an", "tu-phap"), email="")
    office = started(world(plan2024, scheduler, people=(alone, *PEOPLE[2:]), bound=("chi", "dung")))
    told = office.tick(at("24/01"))
    assert office.ended(RowState.DEAD) == ["an nudge: chưa có địa chỉ"]
    assert [line.split(": ")[0] for line in told] == ["telegram dung nudge", "telegram chi notice"]
    assert "An" in office.outgoing[-1].message.text


def test_many_who_are_not_enrolled_yet_are_one_word(plan2024: Plan, scheduler: Scheduler) -> None:
    """Five without an address: one notice with all of them, and another once a sixth is added."""
    crowd = tuple(replace(person(f"p{n}", "tu-phap"), email="") for n in range(6))
    people = (*crowd[:5], *PEOPLE[2:])
    office = started(world(plan2024, scheduler, people=people, bound=("chi", "dung")))

    def notices(day: str) -> list[str]:
        before = len(office.outgoing)
        office.tick(at(day))
        told = [p for p in office.outgoing[before:] if p.row.draft.kind == "notice"]
        return [p.message.text for p in told]

    (text,) = notices("24/01")
    assert text.splitlines()[0] == (
        "Văn phòng lưu ý: tin nhắc chưa tới được 5 người: "
        "P0 (p0), P1 (p1), P2 (p2), P3 (p3) và P4 (p4)."
    )
    assert [notices(day) for day in ("26/01", "30/01")] == [[], []]
    files = replace(office.service.office.files, people=(*crowd, *PEOPLE[2:]))
    office.service.reload(files, at("30/01", "09:00"))
    (text,) = notices("31/01")
    assert "chưa tới được 6 người" in text


def blocked(rendered: Rendered) -> SendError | None:
    if rendered.address == "101":
        return SendError("bot bị chặn", retry=False, address_dead=True)
    return None


def test_a_dead_address_falls_through_and_the_office_is_told(office: World) -> None:
    """Who blocked the bot gets the mail at once; the office hears it by name, once."""
    started(office)
    office.refuse = blocked
    told = office.tick(at("24/01"))
    assert sorted(line.split(": ")[0] for line in told) == [
        "email an nudge",
        "email binh nudge",
        "telegram chi notice",
        "telegram dung nudge",
    ]
    notice = next(
        p for p in office.outgoing if p.row.draft.kind == "notice" and "An" in p.message.text
    )
    assert "(an)" in notice.message.text
    assert "email an nudge" in [line.split(": ")[0] for line in office.tick(at("26/01"))]
    assert office.ended(RowState.DEAD) == ["an nudge: bot bị chặn"]


def test_who_writes_again_after_blocking_the_bot_is_reached_again(
    office: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The next nudge comes by Telegram, the digest says all are reached, and the log says why."""
    started(office)
    office.refuse = blocked
    office.tick(at("24/01"))
    office.refuse = lambda _: None
    caplog.clear()
    caplog.set_level("INFO")
    assert [line.split(": ")[0] for line in office.says("an", "ok", at("24/01", "10:00"))] == [
        "telegram an reply"
    ]
    assert caplog.messages == ["an: the address on telegram works again"]
    assert "telegram an nudge" in [line.split(": ")[0] for line in office.tick(at("26/01"))]
    office.tick(at("29/01", "07:30"))
    digest = next(p for p in office.outgoing if p.row.draft.kind == "digest")
    assert "An" not in digest.message.text.partition("Không liên lạc được")[2]


def test_a_start_pressed_again_revives_an_address_without_a_new_invitation(office: World) -> None:
    """Telegram sends a bare /start when a bot is unblocked; in a group nothing is proved by it."""
    started(office)
    office.refuse = blocked
    office.tick(at("24/01"))
    office.refuse = lambda _: None
    office.says("an", "/viec", at("24/01", "09:00"), chat="-500", private=False)
    assert office.service.office.address("an", TELEGRAM) is None
    office.says("an", "/start", at("24/01", "10:00"))
    found = office.service.office.address("an", TELEGRAM)
    assert found is not None
    assert found.bound_at == at("22/01", "07:00")


def test_a_changed_mail_address_is_alive(office: World) -> None:
    """What was dead is forgotten with the address that was wrong."""
    office.store.mark_address_dead(EMAIL, "binh@example.vn", "550", at("22/01"))
    assert office.service.refresh().address("binh", EMAIL) is None
    files = office.service.office.files
    people = tuple(
        replace(p, email="binh2@example.vn") if p.id == "binh" else p for p in files.people
    )
    office.service.reload(replace(files, people=people), at("22/01", "09:00"))
    found = office.service.refresh().address("binh", EMAIL)
    assert found is not None
    assert found.value == "binh2@example.vn"


def test_a_bot_put_out_of_a_group_is_told_of_the_group_wherever_it_is_noticed(
    office: World,
) -> None:
    """An answer there is to a person: the person's own address stays, the group's is dead."""
    started(office)
    office.says("chi", "/bind tu-phap", at("23/01"), chat="-500", private=False)
    office.refuse = lambda p: (
        SendError("bot đã bị đưa ra khỏi nhóm", retry=False, address_dead=True)
        if p.address == "-500"
        else None
    )
    told = office.says("an", "/xong 1c", at("24/01", "09:00"), chat="-500", private=False)
    assert [line.split(": ")[0] for line in told] == ["telegram chi notice"]
    assert office.outgoing[-1].message.text == (
        "Văn phòng lưu ý: từ 09:00 hôm nay không gửi được tin qua Telegram cho nhóm Tư pháp "
        "(tu-phap): bot đã bị đưa ra khỏi nhóm.\n"
        "Tin nhắc nay gửi riêng cho từng người của bộ phận. Để nối lại: đưa bot vào nhóm rồi "
        "nhắn trong nhóm: /bind tu-phap"
    )
    alive = {a.recipient: a.dead_since is None for a in office.store.addresses()}
    assert (alive["group:tu-phap"], alive["an"]) == (False, True)
    again = office.says("an", "xong 2c", at("26/01", "09:00"), chat="-500", private=False)
    assert again == []


def test_a_chat_that_is_bound_to_nobody_is_no_address_that_dies(office: World) -> None:
    """The answer is lost there, and nobody's address with it."""
    started(office)
    office.refuse = lambda p: (
        SendError("bot đã bị đưa ra khỏi nhóm", retry=False, address_dead=True)
        if p.address == "-600"
        else None
    )
    assert office.says("an", "xong 1c", at("24/01"), chat="-600", private=False) == []
    assert not [a for a in office.store.addresses() if a.dead_since]


def test_an_answer_refused_in_private_still_names_the_other_channel(office: World) -> None:
    """Who blocks the bot before its answer comes has e-mail, and the office reads so."""
    started(office)
    office.refuse = blocked
    office.says("an", "/viec", at("23/01"))
    assert office.outgoing[-1].message.text.splitlines()[1:] == [
        "Tin sẽ gửi qua thư điện tử.",
        (
            "Để nối lại: nhờ người này mở lại bot và nhắn một tin bất kỳ. Nếu đã đổi tài khoản: "
            "reminder invite an rồi chuyển mã mời mới."
        ),
    ]


def test_a_moved_group_is_saved_and_tried_again(office: World) -> None:
    """The new id stands from then on, and the message goes there."""
    started(office)
    office.says("chi", "/bind tu-phap", at("23/01"), chat="-500", private=False)
    office.refuse = lambda p: (
        SendError("moved", retry=True, moved_to="-100500") if p.address == "-500" else None
    )
    office.tick(at("24/01"))
    group = [p.address for p in office.outgoing if p.row.draft.recipient == "group:tu-phap"]
    assert group == ["-100500"]


def test_what_is_not_accepted_is_retried_and_falls_through_after_two_hours(office: World) -> None:
    """Retries start at two seconds and grow; after two hours the next channel takes over."""
    started(office)
    office.refuse = lambda p: (
        SendError("mất mạng", retry=True) if p.row.draft.channel == TELEGRAM else None
    )
    office.tick(at("24/01"))
    waits = [at("24/01")]
    for _ in range(5):
        due = office.service.next_due()
        assert due is not None
        waits.append(due)
        office.deliver(due)
    assert [round((b - a).total_seconds()) for a, b in pairwise(waits)] == [2, 4, 8, 16, 32]
    assert [line.split(": ")[0] for line in office.deliver(at("24/01", "10:30"))] == [
        "email an nudge",
        "email dung nudge",
    ]


def test_an_unknown_outcome_is_sent_once_more_and_marked(office: World) -> None:
    """What the provider may have taken comes again, and says that it may be a repeat."""
    started(office)
    failures = [SendError("mất kết nối", retry=True, unknown=True)]
    office.refuse = lambda p: failures.pop() if p.address == "101" and failures else None
    office.tick(at("24/01"))
    office.deliver(at("24/01", "08:05"))
    mine = [
        p.message.text.splitlines()[0] for p in office.outgoing if p.row.draft.recipient == "an"
    ]
    assert mine == ["(có thể là tin gửi lại)"]
    assert office.store.counts()["unknown"] == 1


def test_a_newer_nudge_replaces_the_one_that_waits(plan2024: Plan, scheduler: Scheduler) -> None:
    """After days without a network one nudge tells of 4b; those that waited are superseded."""
    alone = person("dung", "tai-chinh-ke-toan", channels=(TELEGRAM,))
    office = started(world(plan2024, scheduler, people=(*PEOPLE[:3], alone)))
    office.refuse = lambda p: SendError("mất mạng", retry=True) if p.address == "104" else None
    for day in ("24/01", "26/01", "30/01"):
        office.tick(at(day))
    office.refuse = lambda _: None
    told = office.deliver(at("30/01", "09:00"))
    mine = [p.message.text for p in office.outgoing if p.row.draft.recipient == "dung"]
    assert [line.split(": ")[0] for line in told] == ["telegram dung nudge"]
    assert ["còn 1 ngày" in text for text in mine] == [True]
    reasons = office.ended(RowState.SUPERSEDED)
    assert reasons == ["dung nudge: mọi việc đã xong, hoặc tin mới hơn đã nói"] * 2


def test_a_row_that_can_not_be_rendered_steps_aside(office: World) -> None:
    """One poisoned row is dead and told; the others go on."""
    started(office)
    office.service.tick(at("24/01"))
    broken = office.service.renderer

    def faulty(view: Office, now: datetime, row: Row, past: Past) -> Outbound | None:
        if row.draft.recipient == "an":
            raise KeyError("x")
        return broken(view, now, row, past)

    office.service.renderer = faulty
    told = office.deliver(at("24/01"))
    assert "an nudge: không soạn được tin này" in office.ended(RowState.DEAD)
    assert "email binh nudge" in [line.split(": ")[0] for line in told]


def test_a_clock_that_ran_ahead_neither_repeats_nor_silences(office: World) -> None:
    """A day ahead and back: what was said early is not said again, all else is said on its day."""
    started(office)
    ahead = office.tick(at("26/01"))
    assert office.tick(at("25/01", "09:00")) == []
    assert ahead != []
    assert office.tick(at("26/01")) == []
    nudged = [line.split(": ")[0] for line in office.tick(at("30/01")) if "nudge" in line]
    assert nudged == ["telegram an nudge", "email binh nudge", "telegram dung nudge"]


def test_a_person_taken_from_the_file_hears_and_may_do_nothing(office: World) -> None:
    """At once: no nudge, no right, no address."""
    started(office)
    files = office.service.office.files
    without = tuple(p for p in files.people if p.id != "an")
    lines = office.service.reload(Files(files.plans, without, files.scheduler), at("23/01"))
    assert lines == ["bỏ người an"]
    assert office.tick(at("24/01"))[0].startswith("email binh nudge")
    answer = office.says("an", "/done 1c", at("24/01", "09:00"))
    assert answer[0].startswith("telegram stranger:101 reply: Xin lỗi, tài khoản này chưa")
    assert office.events() == []


def test_a_program_that_will_say_nothing_says_so_once(
    office: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Two years on, the only plan is over: told at the start (and each hour), not at each tick."""
    later = at("22/01", "08:05") + timedelta(days=730)
    office.service.end(later)
    caplog.clear()
    office.service.begin(later)
    for minute in range(3):
        office.tick(later + timedelta(minutes=minute))
    (said,) = caplog.messages
    assert said == (
        "nothing will be said: no plan speaks any more (cchc-2024 is over); write this year's "
        "plan, see docs/plan-format.md, and name it in [plan] files"
    )


def test_what_is_held_since_a_first_start_is_not_nudged(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Started at ten in April: what was late goes to the office as a list, and to nobody else."""
    office = world(plan2024, scheduler, start=at("08/4", "10:00"))
    told = [line.split(": ")[0] for line in office.tick(at("08/4", "10:00"))]
    assert "telegram chi notice" in told
    assert [line for line in told if "nudge" in line or "escalation" in line] == []
    assert {line.split(" ")[0] for line in office.events()} == {"held"}


def test_the_first_list_waits_for_somebody_to_hear_it(plan2024: Plan, scheduler: Scheduler) -> None:
    """An office that has enrolled nobody yet gets the list once somebody is, and once only."""
    alone = replace(person("chi", "van-phong"), email="", channels=(TELEGRAM,))
    office = world(plan2024, scheduler, people=(alone,), bound=())
    assert office.tick(at("22/01", "07:00")) == []
    office.store.bind("chi", TELEGRAM, "103", at("22/01", "07:05"))
    told = office.tick(at("22/01", "07:06"))
    assert told[0].startswith("telegram chi notice: Bắt đầu theo dõi")
    assert [line for line in office.tick(at("22/01", "07:07")) if "Bắt đầu" in line] == []


def test_a_second_unknown_outcome_ends_there(office: World) -> None:
    """Sent once more and no more: then the next channel takes over."""
    started(office)
    office.refuse = lambda p: (
        SendError("mất kết nối", retry=True, unknown=True)
        if p.row.draft.channel == TELEGRAM
        else None
    )
    office.tick(at("24/01"))
    told = office.deliver(at("24/01", "08:05"))
    assert [line.split(": ")[0] for line in told] == ["email an nudge", "email dung nudge"]


def test_a_people_file_saved_half_costs_no_enrolment(office: World) -> None:
    """Emptied and restored: the officer is reached by Telegram as before."""
    started(office)
    files = office.service.office.files
    office.service.reload(Files(files.plans, (), files.scheduler), at("23/01"))
    office.service.reload(files, at("23/01", "08:01"))
    assert office.tick(at("24/01"))[0].startswith("telegram an nudge")


def test_a_group_that_is_out_of_reach_falls_through_to_its_officers(office: World) -> None:
    """After two hours each officer hears it alone; who had the mail is not told twice."""
    started(office)
    office.says("chi", "/bind tu-phap", at("23/01"), chat="-500", private=False)
    office.refuse = lambda p: SendError("mất mạng", retry=True) if p.address == "-500" else None
    told = [line.split(": ")[0] for line in office.tick(at("24/01"))]
    assert told == ["email binh nudge", "telegram dung nudge"]
    assert [line.split(": ")[0] for line in office.deliver(at("24/01", "10:01"))] == [
        "telegram an nudge"
    ]


def test_a_slot_moved_within_the_day_says_nothing_twice(office: World) -> None:
    """From 08:00 to 10:00 at nine o'clock: what was said at eight is not said again at ten."""
    started(office)
    office.tick(at("24/01"))
    files = office.service.office.files
    policy = replace(files.scheduler.policy, slot=time(10))
    later = Scheduler(files.scheduler.calendar, policy)
    office.service.reload(Files(files.plans, files.people, later), at("24/01", "09:00"))
    assert office.tick(at("24/01", "10:00")) == []


def test_a_plan_that_is_over_speaks_of_nothing(
    plan2024: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside this year's plan: its units that have nobody are no news, and no warning."""
    calendar = load_calendar(ROOT / "config" / "calendar.toml", [2024, 2025])
    yearly = [task for task in plan2024.tasks if task.code in ("2c", "1a")]
    next_year = replace(
        plan2024,
        id="cchc-2025",
        title="Kế hoạch năm 2025",
        year=2025,
        tasks=tuple(replace(task, lead=("tu-phap",)) for task in yearly),
    )
    now = instant(date(2025, 3, 3), time(7))
    office = world(plan2024, Scheduler(calendar), start=now)
    files = office.service.office.files
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        office.service.reload(replace(files, plans=(plan2024, next_year)), now)
        told = office.tick(now)
    assert told == ["telegram chi notice: Bắt đầu theo dõi: Kế hoạch năm 2025."]
    assert caplog.messages == []


def test_an_office_whose_only_plan_is_over_is_told_of_nobody(
    plan2024: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is enrolled, and nothing is left to say: the log says that alone."""
    calendar = load_calendar(ROOT / "config" / "calendar.toml", [2024, 2025])
    now = instant(date(2025, 3, 3), time(7, 30))
    with caplog.at_level(logging.WARNING):
        office = world(plan2024, Scheduler(calendar), people=(), bound=(), start=now)
    assert office.tick(now) == []
    assert office.store.rows() == []
    (line,) = caplog.messages
    assert line.startswith("nothing will be said: no plan speaks any more (cchc-2024 is over)")


def test_a_rehearsal_composes_the_next_slot_and_leaves_no_trace(office: World) -> None:
    """It returns the ways of what will be said; on record and on its way is what was before."""
    started(office)
    store = office.store
    before = (
        store.rows(),
        store.metas(),
        store.events(),
        store.spoken_of(office.service.office.states),
    )
    assert office.service.rehearse(at("24/01")) == {TELEGRAM, EMAIL}
    assert office.service.rehearse(at("22/01", "07:45")) == frozenset()
    assert (
        store.rows(),
        store.metas(),
        store.events(),
        store.spoken_of(office.service.office.states),
    ) == before
    assert len(office.tick(at("24/01"))) == 3
