"""Messages about the program: enrolment, plans that begin and end, channels, addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import EventKind
from reminder.domain.periods import vn_day
from reminder.messages import answers, notices, settlement
from reminder.messages.answers import answer
from reminder.messages.context import Context, handle, title
from reminder.messages.report import report_draft
from reminder.messages.views_kit import Data
from reminder.messages.wording import listed, moment_words

UNREACHED = 12  # names of unreachable people in one message


def _stranger(_context: Context, _data: Data) -> Outbound:
    return answers.stranger()


def _too_fast(_context: Context, _data: Data) -> Outbound:
    return answer(["Máy nhận được nhiều tin quá nhanh nên chưa ghi. Xin nhắn lại sau một phút."])


def _told_too_often(_context: Context, _data: Data) -> Outbound:
    return answer(
        [
            "Chưa ghi gì: trong một giờ qua máy đã chuyển 60 tin của anh/chị đến người khác.",
            "Xin nhắn lại sau một giờ; việc gấp xin gọi điện.",
        ]
    )


def _not_new(_context: Context, _data: Data) -> Outbound:
    return answer(
        [
            "Chưa ghi gì: máy không nhận tin đã sửa hoặc tin chuyển tiếp.",
            "Xin nhắn một tin mới, ví dụ: xong 1c",
        ]
    )


def _wordless(_context: Context, _data: Data) -> Outbound:
    return answer(["Chưa ghi gì: máy chỉ đọc được chữ. Xin nhắn bằng chữ, ví dụ: xong 1c"])


def _anonymous(_context: Context, _data: Data) -> Outbound:
    return answer(
        [
            "Chưa ghi gì: tin này gửi ẩn danh, dưới tên nhóm, nên máy không biết là của ai.",
            "Xin tắt “ẩn danh” trong quyền quản trị nhóm rồi nhắn lại.",
        ]
    )


def _old_button(_context: Context, _data: Data) -> Outbound:
    return answer(["Nút này không còn dùng được. Xin nhắn bằng chữ, ví dụ: xong 1c"])


def _welcome(context: Context, data: Data) -> Outbound | None:
    """To who has just pressed Start: what one of that office can do here."""
    person = context.office.people.get(data.person)
    if person is None:  # taken from the file meanwhile
        return None
    sender = context.office.as_sender(person)
    units = context.units(person.units)
    if context.office.leaders.issuperset(person.units):
        lines = [
            f"Kính chào {person.name}. Từ nay máy nhắc việc gửi báo cáo cho {units} tới đây.",
            "Không cần trả lời tin nào. Xem việc đang mở, việc quá hạn: /viec",
            "Xem một việc: /nhiemvu 1c. Những hạn sắp tới: /han",
        ]
    else:
        lines = [
            f"Chào {person.name}. Từ nay máy nhắc việc của {units} gửi tin tới đây.",
            "Xong việc nào, nhắn: xong 1c. Xem việc của bộ phận: /viec",
        ]
    if sender.office:
        lines.append(
            f"Riêng {context.office_name}: báo xong giúp bộ phận khác, /dathan 5a 15/9 lý do "
            "(đặt hạn), /xacnhan 4b (nhận hạn dự kiến), /dongy 1c (cho gia hạn), /molai 1c lý do"
        )
    return answer([*lines, "Cách dùng: /trogiup"], subject="Đã kết nối")


_FAULTS = {
    "used": "Mã mời này đã được dùng.",
    "expired": "Mã mời này đã hết hạn.",
    "unknown": "Mã mời này không đúng.",
}


def _invitation_fault(_context: Context, data: Data) -> Outbound:
    fault = _FAULTS.get(data.fault, _FAULTS["unknown"])
    return answer([f"{fault} Xin hỏi nơi đã gửi mã để nhận mã mới."])


def _bound(context: Context, data: Data) -> Outbound:
    unit = context.unit(data.unit)
    return answer([f"Đã nối: nhóm này nhận tin nhắc của {unit}."])


def _bind_in_group(_context: Context, _data: Data) -> Outbound:
    return answer(["Lệnh /bind phải nhắn trong nhóm của bộ phận, ví dụ: /bind tu-phap"])


def _bind_by_office(context: Context, _data: Data) -> Outbound:
    return answer([f"Chỉ {context.office_name} nối được nhóm với bộ phận."])


def _bind_unknown(_context: Context, data: Data) -> Outbound:
    known = ", ".join(f"{label} ({unit})" for unit, label in data.known)
    unit = data.unit
    wrong = f"Không có bộ phận “{unit}”" if unit else "Chưa rõ bộ phận nào"
    return answer([f"{wrong} nên chưa nối. Nhắn /bind kèm tên hoặc mã: {known}"])


def _how_set_due(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    return settlement.which_day(context, state) if state else None


def _how_note(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    typed = f"/ghichu {handle(context, state)} lý do"
    return answer([f"Ghi lý do {context.code(state)} {title(state)}, xin nhắn: {typed}"])


def _how_no(_context: Context, _data: Data) -> Outbound:
    return answer(["Đã rõ, không ghi thêm gì."])


def _plan_started(context: Context, data: Data) -> Outbound | None:
    plan = context.plans.get(data.plan)
    if plan is None:
        return None
    known = (context.states.get(key) for key in data.late)
    held = data.held
    answered = {e.key for e in context.events if e.kind is EventKind.HELD and e.by}
    late = [s for s in known if s and not s.closed and s.held_until and s.key not in answered]
    return settlement.plan_started(context, plan, late, held)


def _plan_over(context: Context, data: Data) -> Outbound | None:
    plan = context.plans.get(data.plan)
    if plan is None:
        return None
    lines = [f"Từ hôm nay máy thôi nhắc về {plan.title}. Sổ ghi vẫn được giữ."]
    if not any(map(context.speaks, context.plans)):
        lines.append("Không còn kế hoạch nào khác nên máy sẽ im lặng: xin nạp kế hoạch năm mới.")
    return answer(lines, subject=f"Kết thúc theo dõi {plan.title}")


def _unit_empty(context: Context, data: Data) -> Outbound | None:
    unit = data.unit
    if context.office.members(unit):
        return None
    codes = [task.code for plan in context.office.plans for task in plan.tasks if unit in task.lead]
    return notices.unit_empty(context, [unit], codes)


def _office_empty(context: Context, data: Data) -> Outbound | None:
    unit = data.unit
    if context.office.members(unit):
        return None
    return notices.office_empty(context, unit)


def _address_dead(context: Context, data: Data) -> Outbound:
    recipient = data.recipient
    return notices.address_dead(
        context,
        name=context.name(recipient),
        person=recipient,
        channel=data.channel,
        reason=data.reason,
        fallback=data.fallback,
        at=data.at,
    )


def _channel_down(context: Context, data: Data) -> Outbound:
    return notices.channel_down(
        context,
        channel=data.channel,
        reason=data.reason,
        since=data.since,
    )


def _dead_letter(context: Context, data: Data) -> Outbound:
    return notices.dead_letter(
        context,
        row=data.row,
        name=context.name(data.recipient),
        kind=data.kind,
        channel=data.channel,
        reason=data.reason,
        slot=data.slot,
    )


def _unreached(context: Context, _data: Data) -> Outbound | None:
    """All whom nothing reaches, in one word; None if everybody has been reached since."""
    people = [p for p in context.office.files.people if not context.office.ways(p.id)]
    if not people:
        return None
    named = [f"{person.name} ({person.id})" for person in people[:UNREACHED]]
    more = [f"{len(people) - UNREACHED} người nữa"] if len(people) > UNREACHED else []
    who = listed([*named, *more])
    lines = (
        f"{context.office_name} lưu ý: tin nhắc chưa tới được {len(people)} người: {who}.",
        "Chưa có địa chỉ nào dùng được. Xin gửi mã mời, hoặc ghi email vào people.toml:",
        "reminder invite MÃ-NGƯỜI",
        "Tổng hợp tuần nêu từng người và lý do.",
    )
    return answer([*lines], subject=f"Chưa liên lạc được {len(people)} người")


def _files_refused(context: Context, data: Data) -> Outbound:
    return answer(
        [
            f"{vn_day(context.today)}: tệp vừa sửa có lỗi nên máy vẫn dùng bản cũ:",
            *data.problems[:20],
        ],
        subject="Tệp cấu hình có lỗi",
    )


def _copies_overdue(context: Context, data: Data) -> Outbound:
    where = " sang ổ đĩa thứ hai" if data.away else ""
    made = moment_words(data.since, context.today)
    last = f"Bản sao cuối: {made}." if data.ever else "Chưa có bản nào."
    return answer(
        [
            f"Đã ba ngày máy không sao lưu được dữ liệu{where}. {last}",
            "Nhờ người quản trị chạy: reminder doctor. Việc nhắc vẫn như thường.",
        ],
        subject="Chưa sao lưu được dữ liệu",
    )


VIEWS: Mapping[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.Stranger: _stranger,
    payloads.TooFast: _too_fast,
    payloads.ToldTooOften: _told_too_often,
    payloads.EditedOrForwarded: _not_new,
    payloads.Wordless: _wordless,
    payloads.Anonymous: _anonymous,
    payloads.OldButton: _old_button,
    payloads.Welcome: _welcome,
    payloads.InvitationFault: _invitation_fault,
    payloads.Bound: _bound,
    payloads.BindInGroup: _bind_in_group,
    payloads.BindByOffice: _bind_by_office,
    payloads.BindUnknown: _bind_unknown,
    payloads.HowSetDue: _how_set_due,
    payloads.HowNote: _how_note,
    payloads.HowNo: _how_no,
    payloads.PlanStarted: _plan_started,
    payloads.PlanOver: _plan_over,
    payloads.UnitEmpty: _unit_empty,
    payloads.OfficeEmpty: _office_empty,
    payloads.AddressDead: _address_dead,
    payloads.ChannelDown: _channel_down,
    payloads.DeadLetter: _dead_letter,
    payloads.Unreached: _unreached,
    payloads.FilesRefused: _files_refused,
    payloads.CopiesOverdue: _copies_overdue,
    payloads.ReportDraft: report_draft,
}
