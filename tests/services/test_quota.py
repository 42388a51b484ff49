"""A channel that carries so many messages a month, in and out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from reminder.app.channels import known_channels
from reminder.domain.context import Inbound
from reminder.domain.outbox import AddressSource, ChannelTraits, RowState, SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.office import Files, Office
from reminder.services.quota import IN, OUT, Quota, count, quota_of, refuse
from reminder.services.status import snapshot
from tests.services.world import CHATS, World, at, person, world

CHAT = ChannelTraits(
    name="chat", title="Chat", addresses=AddressSource.INVITATION, replies=False, longest=1900
)
PEOPLE = (
    person("an", "tu-phap", channels=("chat", "email")),
    person("chi", "van-phong", channels=("chat", "email")),
    person("lan", "lanh-dao", channels=("chat",)),
)
MORNING = at("31/01")  # 1c and 2c are due


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """All are enrolled in the chat, which carries 100 messages a month."""
    made = world(plan2024, scheduler, people=PEOPLE, bound=())
    made.service.office = Office(
        files=Files(plans=(plan2024,), people=PEOPLE, scheduler=scheduler),
        channels=("chat", "email"),
        known=(*known_channels(), CHAT),
        quotas={"chat": 100},
    )
    made.service.begin(at("29/01", "17:00"))
    for who in ("an", "chi", "lan"):
        made.store.bind(who, "chat", CHATS[who], at("29/01", "17:00"))
    made.tick(at("29/01", "17:00"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def used(office: World, now: datetime = MORNING) -> Quota:
    found = quota_of(office.service.office, office.store, "chat", now)
    assert found is not None
    return found


def use_up_to(office: World, number: int, now: datetime = MORNING) -> None:
    count(office.store, "chat", OUT, now, number - used(office, now).used)


def says(office: World, who: str, text: str) -> list[str]:
    """What is sent in answer, also once it had to go another way."""
    now = at("31/01", "09:00")
    return [*office.says(who, text, now, channel="chat"), *office.deliver(now)]


def to(lines: list[str]) -> list[str]:
    """“chat an nudge” of each message sent."""
    return [line.split(":")[0] for line in lines]


def test_both_directions_are_counted_over_restarts(office: World) -> None:
    """A nudge, an answer and its receipt are three; a long message counts by its parts."""
    before = used(office)
    office.tick(MORNING)
    office.says("an", "xong 1c", at("31/01", "09:00"), channel="chat")
    found = used(office.copy())
    chats = [one for one in office.outgoing if one.row.draft.channel == "chat"]
    assert (found.received, found.month) == (before.received + 1, date(2024, 1, 1))
    assert found.sent - before.sent >= 2
    assert found.sent == sum(len(one.message.chat_text) // 1900 + 1 for one in chats)


def test_a_message_that_comes_again_counts_once(office: World) -> None:
    """Also one that is not answered, of a stranger who writes on."""
    before = used(office)
    for update in ("1", "1", "2", "2", "2"):
        said = Inbound(
            channel="chat", update=update, sender="666", chat="666", private=True, text="hello"
        )
        office.service.receive(said, MORNING)
    assert used(office).received == before.received + 2


def test_the_month_is_vietnams(office: World) -> None:
    """It turns at midnight on the office's clock."""
    use_up_to(office, 50)
    assert used(office, at("31/01", "23:59")).used == 50
    assert used(office, at("01/02", "00:00")) == Quota(month=date(2024, 2, 1), limit=100)


def test_at_80_per_cent_the_office_is_told_once(office: World) -> None:
    """With the figures, and who has no other channel; everything still goes by the channel."""
    use_up_to(office, 80)
    now = at("30/01", "10:00")
    office.tick(now)
    (notice,) = [one for one in office.outgoing if one.row.draft.payload.view == "quota-used"]
    assert (notice.row.draft.channel, notice.row.draft.recipient) == ("chat", "chi")
    told, then, alone = notice.message.text.split("\n")
    figures = f"80 trong 100 tin ({80 - used(office).received} gửi, {used(office).received} nhận)"
    assert told == f"Văn phòng lưu ý: tháng này Chat đã dùng {figures}, tức 80 %."
    assert then.startswith("Từ 95 %, chỉ tin báo quá hạn còn đi qua Chat,")
    assert then.endswith("hết lượt thì mọi tin đi kênh khác đến hết Thứ Tư 31/01.")
    assert alone == "Chưa có kênh nào khác: Lan. Xin ghi email của họ vào people.toml."
    assert office.tick(now + timedelta(minutes=1)) == []
    assert office.copy().tick(now + timedelta(minutes=2)) == []
    assert "chat an nudge" in to(office.tick(MORNING))


def test_from_95_per_cent_escalations_alone_go_by_it(office: World) -> None:
    """Nudges and answers go by the next channel; what officers write is recorded."""
    use_up_to(office, 95)
    assert "email an nudge" in to(office.tick(MORNING))
    assert to(says(office, "an", "xong 1c")) == ["email an reply"]
    assert office.events() == ["done 1c.1 2024 tu-phap an"]
    use_up_to(office, 95, at("01/02"))
    late = to(office.tick(at("01/02")))
    assert "chat chi escalation" in late
    assert "email an nudge" in late
    assert not [line for line in late if line.startswith("chat") and "escalation" not in line]


def test_what_is_on_its_way_counts(office: World) -> None:
    """Of a batch that is leased at once, as many go as stay below the bound."""
    use_up_to(office, 94)
    office.service.tick(MORNING)
    channels = [one.row.draft.channel for one in office.service.lease(MORNING, 10)]
    assert channels.count("chat") == 1


@pytest.mark.parametrize("refused", [True, False])
def test_at_100_per_cent_nothing_goes_by_it_until_the_month_turns(
    office: World, refused: bool
) -> None:
    """Whether we counted it or the provider says so; the office hears it by another channel."""
    if refused:
        error = SendError("quota", retry=True, quota=True)
        office.refuse = lambda sent: error if sent.row.draft.channel == "chat" else None
    else:
        use_up_to(office, 100)
    assert "email an nudge" in to(office.tick(MORNING))
    office.refuse = lambda _: None
    told = to(office.tick(at("31/01", "08:01")))
    assert told == (["email chi notice"] if refused else [])
    notice = [one for one in office.outgoing if one.row.draft.kind == "notice"][-1]
    assert notice.row.draft.channel == "email"
    assert "Chat đã hết lượt tin của tháng" in notice.message.text
    assert to(says(office, "an", "xong 1c")) == ["email an reply"]
    assert [line.split()[0] for line in office.events()] == ["done"]
    assert not [line for line in to(office.tick(at("31/01", "10:00"))) if "chat" in line]
    assert "chat an nudge" in to(office.tick(at("01/02")))


def test_a_refusal_on_the_first_of_a_month_holds_for_a_day(office: World) -> None:
    """The provider's month may turn later than ours."""
    first = at("01/02", "06:00")
    refuse(office.store, "chat", first)
    assert used(office, at("01/02", "23:59")).refused_until == at("02/02", "00:00")
    assert used(office, at("02/02", "00:00")).refused_until is None
    refuse(office.store, "chat", at("02/02", "06:00"))
    assert used(office, at("29/02", "23:59")).refused_until == at("01/03", "00:00")


def test_who_has_no_other_channel_is_told_of_once_a_month(office: World) -> None:
    """The message is given up, and the office hears of one such person once."""
    use_up_to(office, 95)
    alone = replace(PEOPLE[0], channels=("chat",))
    files = office.service.office.files
    office.service.reload(replace(files, people=(alone, *PEOPLE[1:])), MORNING)
    office.tick(MORNING)
    office.deliver(MORNING)
    says(office, "chi", "/nhacngay 1c")
    letters = [one for one in office.outgoing if one.row.draft.payload.view == "dead-letter"]
    assert [one.row.draft.recipient for one in letters] == ["chi"]
    dead = office.store.rows(states=[RowState.DEAD], recipient="an")
    assert {row.error for row in dead} == {"kênh này đã hết lượt tin của tháng"}
    assert len(dead) == 2


def test_the_figures_are_in_the_status(office: World) -> None:
    """By channel, of those that have a quota."""
    use_up_to(office, 41)
    count(office.store, "chat", IN, MORNING, 0)
    found = snapshot(office.service.office, office.store, MORNING)
    assert found.quotas == {"chat": used(office)}
    assert found.quotas["chat"].percent == 41
