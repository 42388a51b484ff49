"""The office's files: plans, people, calendar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reminder.core.outbox import Address
from reminder.core.schedule import local_day
from reminder.doctor.check import Check, ok, warn
from reminder.service.office import CONSOLE, Files, Office
from reminder.service.reach import unreachable

_NAMED = 8  # of those whom nothing reaches
_DECEMBER = 12  # next year's holidays are announced by then


def files(found: Files, now: datetime) -> Iterator[Check]:
    """What people write by hand, once it was read without a fault."""
    office = Office(files=found, channels=(CONSOLE,))
    speaking = office.speaking(now)
    tasks = sum(len(plan.tasks) for plan in speaking)
    if speaking:
        titles = ", ".join(plan.id for plan in speaking)
        yield ok("plan", f"Kế hoạch {titles}: {tasks} việc.")
    else:
        yield warn(
            "plan",
            "Không còn kế hoạch nào nhắc việc, máy im lặng.",
            "viết kế hoạch năm nay theo docs/plan-format.md",
        )
    yield _calendar(found, [plan.year for plan in speaking], now)


def _calendar(found: Files, plans: Sequence[int], now: datetime) -> Check:
    today = local_day(now)
    used = {today.year, *plans} | ({today.year + 1} if today.month == _DECEMBER else set())
    unknown = sorted(used & set(found.scheduler.calendar.unconfirmed))
    if unknown:
        years = ", ".join(map(str, unknown))
        return warn(
            "calendar",
            f"Lịch nghỉ năm {years} chưa đối chiếu với thông báo chính thức.",
            "sửa ngày nghỉ, làm bù trong config/calendar.toml rồi thêm năm vào `confirmed`",
        )
    return ok("calendar", f"Lịch nghỉ năm {', '.join(map(str, sorted(used)))} đã đối chiếu.")


def people(
    found: Files, addresses: Sequence[Address], channels: Sequence[str], now: datetime
) -> Check:
    """Whom no message reaches; `channels` as the settings have them, the console left out."""
    office = Office(files=found, channels=tuple(channels) or (CONSOLE,))
    gone = unreachable(office.speaking(now), office.people, addresses, channels)
    if not gone:
        count = len(found.people)
        return ok("people", f"Cả {count} người trong danh sách đều có kênh nhận tin.")
    every = [one.person.name if one.person else f"bộ phận {one.unit}" for one in gone]
    names = list(dict.fromkeys(every))  # one person may stand for several units
    more = f" và {len(names) - _NAMED} nơi khác" if len(names) > _NAMED else ""
    return warn(
        "people",
        f"Chưa tin nào tới được: {', '.join(names[:_NAMED])}{more}.",
        "xem `reminder status`; mời bằng `reminder invite`, hoặc ghi địa chỉ vào people.toml",
    )
