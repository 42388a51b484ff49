"""The digest's words on the program itself: whom it can't reach, and how it has fared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reminder.channels.context import Context
from reminder.channels.wording import channel_words, day_words, moment_words
from reminder.core.workdays import local
from reminder.service.health import Health, Slot
from reminder.service.reach import Fault, Unreachable, Why

SLOTS = 5  # broken slots that are named
SHORT_HASH = 16  # hex digits of the chain's head: 64 bits, and a person can compare them


def unreachable(context: Context, found: Iterable[Unreachable]) -> list[tuple[str, str]]:
    """Each person once, and each empty unit: (who, why)."""
    names: dict[str, tuple[str, str]] = {}
    for one in found:
        if one.person is None:
            names[f"unit:{one.unit}"] = (context.unit(one.unit), "chưa có ai nhận tin")
        else:
            why = "; ".join(_fault(context, fault) for fault in one.faults)
            unit = context.units(one.person.units)
            names.setdefault(one.person.id, (f"{one.person.name} ({unit})", why))
    return list(names.values())


def _fault(context: Context, fault: Fault) -> str:
    name = channel_words(fault.channel)
    match fault.why:
        case Why.NOT_SET_UP:
            return f"{name} chưa được cài đặt"
        case Why.NO_ADDRESS:
            return f"{name}: chưa có địa chỉ"
        case Why.UNBOUND:
            return f"{name} chưa kết nối"
        case Why.DEAD:
            since = f" từ {_day(context, fault.since)}" if fault.since else ""
            reason = f" ({fault.reason})" if fault.reason else ""
            return f"{name} không nhận tin{since}{reason}"


def _day(context: Context, at: datetime) -> str:
    return day_words(local(at).date(), context.today)


def words(context: Context, health: Health) -> list[str]:
    """A line each: slots, messages, channels, the ledger."""
    lines = _slots(context, health)
    stuck = [f"{health.waiting} tin đang chờ gửi"] if health.waiting else []
    stuck += [f"{health.lost} tin không kênh nào gửi được"] if health.lost else []
    stuck += [f"{health.unknown} tin có thể đã tới hai lần"] if health.unknown else []
    if stuck:
        lines.append(f"Tin: {', '.join(stuck)}.")
    elif health.sent:
        lines.append("Mọi tin đã gửi, không tin nào gửi lặp.")
    lines.append(_contacts(context, health))
    lines += [
        f"{_channel(channel)} từ chối mọi tin từ {moment_words(since, context.today)}."
        for channel, since in health.down.items()
    ]
    number, last = health.head
    lines.append(
        f"Sổ ghi: {number} mục, mã mục cuối {last[:SHORT_HASH]} (giữ lại để đối chiếu)."
        if number
        else "Sổ ghi: chưa có mục nào."
    )
    return lines


def _slots(context: Context, health: Health) -> list[str]:
    if not health.slots:
        return ["Lượt nhắc: từ tổng hợp trước chưa có lượt nào."]
    if not health.broken:
        return [f"Lượt nhắc: cả {health.slots} lượt đều đúng ngày."]
    line = f"Lượt nhắc: {health.kept} trong {health.slots} lượt đúng ngày."
    named = [_broken(context, slot) for slot in health.broken[:SLOTS]]
    left = len(health.broken) - SLOTS
    named += [f"Và {left} lượt nữa."] if left > 0 else []
    return [line, *named]


def _broken(context: Context, slot: Slot) -> str:
    when = moment_words(slot.at, context.today)
    if slot.said is None:
        return f"Lượt {when} bị lỡ."
    return f"Lượt {when} muộn, nói lúc {moment_words(slot.said, context.today)}."


def _contacts(context: Context, health: Health) -> str:
    found = [
        f"{channel_words(channel)} {moment_words(at, context.today)}"
        for channel, at in sorted(health.sent.items())
    ]
    if health.polled:
        found.append(f"hỏi tin Telegram {moment_words(health.polled, context.today)}")
    return f"Liên lạc gần nhất: {', '.join(found)}." if found else "Chưa có tin nào được gửi đi."


def _channel(channel: str) -> str:
    name = channel_words(channel)
    return name[:1].upper() + name[1:]
