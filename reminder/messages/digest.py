"""The weekly digest, in short and in full, and the health of the program in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import escape

from reminder.domain.calendar import local_day, monday_of
from reminder.domain.channels import Outbound
from reminder.domain.digest import Digest, closed_in_time, digest
from reminder.domain.ledger import State
from reminder.domain.periods import vn_date, vn_day
from reminder.domain.plan import Plan
from reminder.messages import digest_sections
from reminder.messages.compose import answer, compose, page, render_lines
from reminder.messages.context import Context, handle, title, waiting_units
from reminder.messages.digest_sections import bars, cells, sections
from reminder.messages.wording import coming_rest, day_words, one_line
from reminder.services.recipients import Unreachable
from reminder.services.recipients import unreachable as unreachable_people
from reminder.services.status import Health

COUNTED = "“Đang mở” gồm cả việc quá hạn, chờ ký và chưa có hạn."
SHOWN = 8  # lines of each part; the rest is a number
PASTED = 10  # tasks of the lines for a group
INLINE = 3  # tasks in one line
NAMED = 6  # of those who can't be reached, in short


def digest_of(context: Context) -> Digest:
    """The digest at the context's time."""
    plans = list(context.plans.values())
    started = context.past.health.started if context.past.health else None
    return digest(plans, context.events, context.scheduler, context.at, started=started)


def weekly_digest(context: Context) -> Outbound | None:
    """The digest of a row, in the form of its channel; None if a newer one is queued."""
    if context.past.outdated:
        return None
    row, office = context.row, context.office
    by_itself = row is not None and row.draft.kind == "digest" and not context.by_mail
    mailed = row is not None and by_itself and office.has_mail(row.draft.recipient)
    return made(context, mailed=mailed, attached=context.by_mail)


def made(context: Context, *, mailed: bool, attached: bool) -> Outbound:
    """The digest; with the whole plan if it is `attached`."""
    found = digest_of(context)
    cut_off = unreachable_people(context.office, found.plans)
    attached = attached and bool(found.plans)
    message = weekly(
        context,
        found,
        health=context.past.health,
        cut_off=cut_off,
        mailed=mailed,
        attached=attached,
    )
    files = workbooks(context, found.plans, found.day) if attached else ()
    return replace(message, attachments=files)


def weekly(
    context: Context,
    found: Digest,
    *,
    health: Health | None = None,
    cut_off: Sequence[Unreachable] = (),
    mailed: bool = False,
    attached: bool = False,
) -> Outbound:
    """The digest of the week; said also when all is well.

    `html` and `short` are the short form, `text` and `mail_html` the full one. `mailed`: the
    reader gets the full form by mail as well; `attached`: the whole plan comes with it.
    """
    if not found.plans:
        return answer([nothing(context, found.day)], subject="Tổng hợp tuần")
    subject = f"Tổng hợp tuần – {vn_day(found.day)}: {len(found.late)} việc quá hạn"
    week = _week(context, found)
    figures = cells(found.figures, found.before)
    parts = sections(context, found, health, cut_off)
    compared = day_words(local_day(found.since), context.today) if found.since else ""
    short = compose(
        "digest",
        subject=subject,
        day=vn_day(found.day),
        week=week,
        figures=figures,
        counted=COUNTED,
        parts=_short(context, found),
        well=found.all_is_well,
        settle=digest_sections.to_settle(context, found.awaiting, found.assumed),
        unreachable=_names(context, cut_off),
        mailed=mailed,
    )
    full = {
        "subject": one_line(subject, 150),
        "day": vn_day(found.day),
        "week": week,
        "figures": figures,
        "counted": COUNTED,
        "compared": compared,
        "bars": bars(context, found.units),
        "sections": parts,
        "attached": attached,
    }
    lines = render_lines("digest_full", buttons=False, **full)
    text = "\n".join(line.plain for line in lines)
    page_html = page("digest_mail.html", **full)
    return replace(short, short=short.text, text=text, mail_html=page_html)


def nothing(context: Context, day: date) -> str:
    """Why there is no digest of `day`: no plan yet, or none any more."""
    coming = [p for p in context.plans.values() if p.first_day > day]
    if coming:
        first = min(coming, key=lambda plan: plan.year)
        begins = day_words(first.first_day, day)
        return f"{first.title} bắt đầu từ {begins}: chưa có gì để tổng hợp."
    return f"{day_words(day, context.today)} không có kế hoạch nào đang theo dõi để tổng hợp."


def zalo(context: Context, found: Digest) -> Outbound:
    """A few plain lines on the week, to paste into a group: no mark-up, no figures."""
    if not found.plans:
        return answer([nothing(context, found.day)], subject="Tổng hợp tuần")
    monday = monday_of(found.day)
    worked = context.scheduler.calendar.between(monday, monday + timedelta(days=6))
    span = "–".join(
        dict.fromkeys(vn_date(d) for d in (worked or [found.day]) if d in _ends(worked))
    )
    subject = f"Nhắc việc tuần {span}"
    if found.this_week:
        lines = _pasted(context, f"{subject}:", found.this_week)
    else:
        lines = [f"{subject}: không việc nào đến hạn trong tuần."]
        lines += _pasted(context, "Hai tuần tới:", found.next_weeks)
    lines += _pasted(context, "Đã quá hạn, mong các bộ phận sớm hoàn thành:", found.late)
    ask = f"Xong xin nhắn {context.office_name}."
    lines = [f"{lines[0]} {ask}"] if len(lines) == 1 else [*lines, ask]
    text = "\n".join(lines)
    return Outbound(subject=subject, html=escape(text, quote=False), text=text)


def _ends(days: Sequence[date]) -> tuple[date, ...]:
    return (days[0], days[-1]) if days else ()


def _pasted(context: Context, head: str, states: Sequence[State]) -> list[str]:
    """`head` and a few tasks in one line, more of them in a line each."""
    groups = digest_sections.together(states)
    shown = []
    for group in groups[:PASTED]:
        name = " ".join(digest_sections.together_name(context, group))
        units = dict.fromkeys(unit for state in group for unit in waiting_units(state))
        due = context.due(group[0], ahead=False)
        shown.append(one_line(f"{name} ({context.units(tuple(units))}) {due}"))
    if len(shown) <= INLINE:
        return [f"{head} {'; '.join(shown)}."] if shown else []
    left = sum(map(len, groups[PASTED:]))
    return [head, *(f"- {each}" for each in shown), *([f"và {left} việc nữa"] if left > 0 else [])]


def _week(context: Context, found: Digest) -> str:
    """How many working days this week has left, and the rest that comes."""
    sunday = monday_of(found.day) + timedelta(days=6)
    left = len(context.scheduler.calendar.between(found.day, sunday))
    words = f"Tuần này còn {left} ngày làm việc"
    rest = coming_rest(found.day, context.scheduler.calendar)
    if rest:
        name = context.holiday(*rest)
        words += (
            f", nghỉ{' ' + name if name else ''} từ {vn_day(rest[0])} đến hết {vn_day(rest[1])}"
        )
    return f"{words}."


def _short(context: Context, found: Digest) -> list[dict[str, object]]:
    """The parts that a phone shows: those that have anything in them."""
    parts = [
        ("🔴", "Quá hạn", [(1, _late(context, s)) for s in found.late]),
        ("🟠", "Tuần này", _coming(context, found.this_week)),
        ("🟡", "Hai tuần tới", _coming(context, found.next_weeks)),
        ("🟢", _done_since(context, found), _done(context, found.done)),
        ("🖋", "Chờ ký", [(1, _name(context, s)) for s in found.signing]),
        ("📅", "Xin gia hạn, chờ quyết", [(1, _asked(context, s)) for s in found.requests]),
    ]
    return [
        {
            "mark": mark,
            "name": name,
            "count": sum(count for count, _ in lines),
            "lines": [line for _, line in lines[:SHOWN]],
            "more": sum(count for count, _ in lines[SHOWN:]),
        }
        for mark, name, lines in parts
        if lines
    ]


def _done_since(context: Context, found: Digest) -> str:
    if found.since is None:
        return "Đã xong từ đầu năm"
    since = local_day(found.since)
    whole = found.day - since == timedelta(days=7)
    return "Xong trong tuần trước" if whole else f"Xong từ {day_words(since, context.today)}"


def _name(context: Context, state: State) -> str:
    return f"{context.code(state)} {title(state)} ({context.units(state.occurrence.task.lead)})"


def _late(context: Context, state: State) -> str:
    days = context.scheduler.days_late(state, context.today)
    signing = ", chờ ký" if state.submitted else ""
    name = f"{context.code(state)} {title(state)}"
    return f"{name} – {context.units(waiting_units(state))}, {days} ngày làm việc{signing}"


def _asked(context: Context, state: State) -> str:
    """An extension that waits, with the day, and how to decide it."""
    until = state.request.until if state.request else None
    day = f", xin đến {day_words(until, context.today)}" if until else ""
    name = handle(context, state)
    return f"{_name(context, state)}{day}: /dongy {name} · /khongdongy {name}"


def _coming(context: Context, states: Sequence[State]) -> list[tuple[int, str]]:
    """A line for what stands together, and how many that is."""
    lines = []
    for group in digest_sections.together(states):
        first = group[0]
        due = day_words(first.due, context.today) if first.due else ""
        word = "hạn dự kiến " if first.assumed else ""
        name = " ".join(digest_sections.together_name(context, group))
        units = dict.fromkeys(unit for state in group for unit in waiting_units(state))
        lines.append((len(group), f"{name} – {context.units(tuple(units))}, {word}{due}"))
    return lines


def _done(context: Context, states: Sequence[State]) -> list[tuple[int, str]]:
    """A line for each product; the check-ins that were answered share one a period."""
    products = [state for state in states if not state.occurrence.is_check_in]
    lines = [(1, _closed(context, state)) for state in products]
    periods: dict[str, list[State]] = {}
    for state in states:
        if state.occurrence.is_check_in:
            periods.setdefault(state.occurrence.period.name, []).append(state)
    return lines + [
        (len(group), " ".join(digest_sections.together_name(context, group)))
        for group in periods.values()
    ]


def _closed(context: Context, state: State) -> str:
    task = state.occurrence.task
    all_of = f" (đủ {len(task.lead)} bộ phận)" if digest_sections.by_all(state) else ""
    late = "" if closed_in_time(state, context.scheduler) else ", quá hạn"
    evidence = f", {state.evidence}" if state.evidence else ""
    return f"{context.code(state)} {title(state)}{all_of}{late}{evidence}"


def _names(context: Context, cut_off: Sequence[Unreachable]) -> list[str]:
    names = [who for who, _ in digest_sections.unreachable(context, cut_off)]
    left = len(names) - NAMED
    return [*names[:NAMED], f"và {left} nơi nữa"] if left > 0 else names


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbooks(
    context: Context, plans: Iterable[Plan], day: date
) -> tuple[tuple[str, str, bytes], ...]:
    """(file name, media type, content) of each of `plans`, as it stands on `day`."""
    # xlsxwriter is loaded once a week, not at each start.
    from reminder.documents.workbook import workbook

    return tuple(
        (
            f"theo-doi-ke-hoach-{plan.year}_{day:%Y-%m-%d}.xlsx",
            XLSX,
            workbook(plan, context.states, context.scheduler, day),
        )
        for plan in plans
    )
