"""The draft of the report: as an answer, by mail, or with the nudge for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from reminder.domain.calendar import Period, vn_date
from reminder.domain.ledger import State
from reminder.domain.outbox import Outbound
from reminder.domain.payloads import ReportDraft
from reminder.domain.plan import Plan
from reminder.domain.report import Report, draft_report, full_name
from reminder.messages.compose import message
from reminder.messages.context import Context
from reminder.messages.nudge import Drafts
from reminder.services.office import Office

Attachment = tuple[str, str, bytes]


def drafted(office: Office, plan: Plan, period: Period, today: date) -> tuple[Report, Attachment]:
    """The report as the ledger stands now, and its file."""
    # python-docx takes 0.2 s to load: a daemon that drafts nothing does without it.
    from reminder.documents.report import MEDIA_TYPE, docx, file_name

    report = draft_report(plan, office.events, office.scheduler, period, today)
    return report, (file_name(report), MEDIA_TYPE, docx(report, office.files.letterhead))


def report_draft(context: Context, data: ReportDraft) -> Outbound | None:
    """The draft as an answer; None where its plan is gone."""
    plan = context.plans.get(data.plan)
    if plan is None:
        return None
    from reminder.documents.report import summary

    report, file = drafted(context.office, plan, Period.parse(data.period), context.today)
    until = vn_date(report.last, year=True)
    figures = list(summary(report))  # those of the paper itself, in its words
    made = message("report", "draft", name=report.name, until=until, file=file[0], figures=figures)
    return replace(made, attachments=(file,))


def announced(office: Office, due: Sequence[State], recipient: str, channel: str) -> Drafts | None:
    """Where the reader of a nudge on `channel` finds the drafts of the reports `due`."""
    if not due:
        return None
    place = "mail" if office.has_mail(recipient) else "chat"
    return Drafts(
        names=tuple(full_name(state.occurrence.period) for state in due),
        place="attached" if office.traits(channel).mail else place,
    )


def files(office: Office, due: Sequence[State], today: date) -> tuple[Attachment, ...]:
    """The drafts of the reports `due`."""
    return tuple(
        drafted(office, office.by_plan[state.key.plan], state.occurrence.period, today)[1]
        for state in due
    )
