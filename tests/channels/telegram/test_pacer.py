"""No order of sends ever meets a limit of Telegram's."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.channels.telegram import pacer as pacing
from reminder.channels.telegram.pacer import Pacer
from tests.conftest import examples
from tests.fakes.telegram.limits import Limits
from tests.messages.ticking import Ticking


def paced(chats: list[int], took: float = 0.0) -> tuple[Limits, Ticking]:
    """All of `chats` sent to at once through one pacer, against Telegram's own counting."""
    time = Ticking()
    limits, pacer = Limits(time.clock, enforce=True), Pacer(time.clock, time.sleep)

    async def send(chat: int) -> None:
        async with pacer.turn(chat):
            limits.take(chat)
            if took:
                await time.sleep(took)

    async def main() -> None:
        await time.run(*(send(chat) for chat in chats))

    asyncio.run(main())
    return limits, time


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.sampled_from([1, 2, 3, -1, -2, *range(100, 140)]), max_size=90))
def test_no_order_of_sends_is_refused(chats: list[int]) -> None:
    """30 a second overall, one a second a chat, 20 a minute a group: all taken, all counted."""
    limits, _ = paced(chats)
    assert limits.refused == 0
    assert sorted(chat for _, chat in limits.accepted) == sorted(chats)


CHATS = st.sampled_from([1, 2, -1, -2, *range(100, 140)])


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.tuples(st.lists(CHATS, max_size=40), st.floats(0, 2)), min_size=2, max_size=4))
def test_no_change_of_the_process_is_refused(stints: list[tuple[list[int], float]]) -> None:
    """Each goes on as the one before has told, however soon after it."""
    time = Ticking()
    limits, pacers = Limits(time.clock, enforce=True), [Pacer(time.clock, time.sleep)]

    async def send(chat: int) -> None:
        async with pacers[-1].turn(chat):
            limits.take(chat)

    async def main() -> None:
        for chats, passed in stints:
            await time.run(*(send(chat) for chat in chats))
            told = json.loads(json.dumps(pacers[-1].pace()))
            await time.run(time.sleep(passed))
            pacers.append(Pacer(time.clock, time.sleep))
            pacers[-1].resume(told, passed)

    asyncio.run(main())
    assert limits.refused == 0
    sent = [chat for chats, _ in stints for chat in chats]
    assert sorted(chat for _, chat in limits.accepted) == sorted(sent)


@pytest.mark.parametrize("rate", [1, 7, 29])
def test_an_account_keeps_a_rate_of_its_own(rate: int) -> None:
    """In any second, and no more slowly than it must."""
    time = Ticking()
    limits, pacer = Limits(time.clock, enforce=True), Pacer(time.clock, time.sleep)
    pacer.limit(rate)

    async def send(chat: int) -> None:
        async with pacer.turn(chat):
            limits.take(chat)

    async def main() -> None:
        await time.run(*(send(chat) for chat in range(1, 5 * rate + 2)))

    asyncio.run(main())
    at = [when for when, _ in limits.accepted]
    assert all(later - first > 1.0 for first, later in zip(at, at[rate:], strict=False))
    assert 5.0 < at[-1] - at[0] < 5.2


def test_sixty_people_hear_within_three_seconds() -> None:
    """Spacing costs no more than the limit itself: 60 sends are 59 gaps."""
    limits, time = paced(list(range(1, 61)), took=0.2)
    assert limits.refused == 0
    assert round(time.now, 2) == round(59 / 29 + 0.2, 2)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.25), st.floats(0, 0.25)), min_size=100, max_size=130))
def test_a_line_that_jitters_is_not_refused(delays: list[tuple[float, float]]) -> None:
    """However long requests take on their way there, and answers on theirs back: in order or not.

    The way there and back takes 20 ms at least.
    """
    time = Ticking()
    limits, pacer = Limits(time.clock, enforce=True), Pacer(time.clock, time.sleep)

    async def send(chat: int, there: float, back: float) -> None:
        async with pacer.turn(chat):
            await time.sleep(0.01 + there)
            limits.take(chat)
            await time.sleep(0.01 + back)

    async def main() -> None:
        flying = asyncio.Semaphore(8)

        async def one(chat: int, delays: tuple[float, float]) -> None:
            async with flying:
                await send(chat, *delays)

        await time.run(*(one(1000 + n, each) for n, each in enumerate(delays)))

    asyncio.run(main())
    assert limits.refused == 0


def test_a_steady_line_carries_twenty_nine_a_second() -> None:
    """However slow it is: what each answer takes alike brings no requests closer together."""
    limits, time = paced(list(range(1, 302)), took=0.24)
    assert limits.refused == 0
    assert round(time.now - 0.24, 1) == round(300 / 29, 1)


def test_a_group_of_twenty_waits_for_the_minute() -> None:
    """The twenty-first message to a group waits until the first is a minute old."""
    limits, _ = paced([-7] * 21)
    times = [at for at, _ in limits.accepted]
    assert [round(t, 2) for t in times[:3]] == [0.0, 1.05, 2.1]
    assert round(times[20] - times[0], 2) == pacing.GROUP_SECONDS


def test_a_busy_chat_does_not_delay_the_others() -> None:
    """Ten messages to one person leave room for everybody else."""
    limits, _ = paced([1] * 10 + [2, 3])
    assert [chat for _, chat in limits.accepted][:3] == [1, 2, 3]


def held(first: int, *more: int) -> dict[int, float]:
    """When chats 1, 2 and 3 are reached after some of them were told to wait 5 s."""
    time = Ticking()
    pacer = Pacer(time.clock, time.sleep)
    reached: dict[int, float] = {}

    async def send(chat: int) -> None:
        async with pacer.turn(chat):
            reached[chat] = round(time.now, 1)

    async def main() -> None:
        for chat in (first, *more):
            pacer.hold(chat, 5)
        await time.run(*(send(chat) for chat in (1, 2, 3)))

    asyncio.run(main())
    return reached


def test_who_was_told_to_wait_waits() -> None:
    """One refused chat waits alone; when two are refused the limit is everybody's."""
    assert held(1) == {2: 0.0, 3: 0.0, 1: 5.0}
    assert held(1, 2) == {3: 5.0, 1: 5.0, 2: 5.1}


def test_idle_chats_are_forgotten() -> None:
    """The memory of chats stays bounded however many there are."""
    time = Ticking()
    pacer = Pacer(time.clock, time.skip)

    async def main() -> None:
        for chat in range(1, 6000):
            async with pacer.turn(chat):
                pass

    asyncio.run(main())
    assert len(pacer._chats) < 29 * pacing.GROUP_SECONDS + pacing.REMEMBERED


def test_a_cancelled_send_lets_the_next_one_through() -> None:
    """Somebody who gives up waiting leaves nothing locked."""
    time = Ticking()
    pacer = Pacer(time.clock, time.sleep)

    async def send() -> None:
        async with pacer.turn(1):
            pass

    async def main() -> None:
        await time.run(send())
        waiting = asyncio.ensure_future(send())
        await asyncio.sleep(0)
        waiting.cancel()
        await time.run(send())

    asyncio.run(main())
    assert round(time.now, 2) == 1.05


def test_a_long_wait_is_refused_at_once() -> None:
    """Beyond its patience a turn says how long it would have to wait, and others have theirs."""
    time = Ticking()
    pacer = Pacer(time.clock, time.skip, patience=5)
    waits: list[float] = []

    async def main() -> None:
        pacer.hold(1, 60)
        for chat in (1, 1, 2):
            try:
                async with pacer.turn(chat):
                    waits.append(0)
            except pacing.HeldError as held:
                waits.append(round(held.seconds))
        await time.skip(56)
        async with pacer.turn(1):
            waits.append(round(time.now))

    asyncio.run(main())
    assert waits == [60, 60, 0, 60]
