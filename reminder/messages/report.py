"""The draft of the report: as an answer, by mail, or with the nudge for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from reminder.documents.report_words import summary
from reminder.domain.channels import Outbound
from reminder.domain.ledger import State
from reminder.domain.payloads import ReportDraft
from reminder.domain.periods import Period, vn_date
from reminder.domain.plan import Plan
from reminder.domain.report import Report, draft_report, full_name
from reminder.messages.compose import answer
from reminder.messages.context import Context
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
    report, file = drafted(context.office, plan, Period.parse(data.period), context.today)
    until = vn_date(report.last, year=True)
    lines = [
        f"Dự thảo báo cáo {report.name}, số liệu đến ngày {until} (tệp {file[0]}).",
        *summary(report),  # the figures of the paper itself, in its words
        "Số, ngày, chữ ký để trống. Xin đọc lại, sửa và bổ sung trước khi trình.",
    ]
    message = answer(lines, subject=f"Dự thảo báo cáo {report.name}")
    return replace(message, attachments=(file,))


def aside(office: Office, due: Sequence[State], recipient: str, channel: str) -> str:
    """What a nudge says of the drafts of the reports `due`: where they are."""
    if not due:
        return ""
    names = f"Dự thảo báo cáo {', '.join(full_name(state.occurrence.period) for state in due)}"
    if office.traits(channel).mail:
        return f"{names} kèm theo thư này; xin đọc lại, bổ sung trước khi trình."
    if office.has_mail(recipient):
        return f"{names} được gửi qua thư. Lấy lại tại đây, nhắn: /baocao"
    return f"{names} lấy tại đây, nhắn: /baocao"


def files(office: Office, due: Sequence[State], today: date) -> tuple[Attachment, ...]:
    """The drafts of the reports `due`."""
    return tuple(
        drafted(office, office.by_plan[state.key.plan], state.occurrence.period, today)[1]
        for state in due
    )
