"""What the program says of itself: enrolment, plans that begin and end, channels and addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reminder.domain.channels import Outbound
from reminder.domain.ledger import EventKind
from reminder.domain.occurrences import Key
from reminder.domain.periods import vn_day
from reminder.messages import answers, notices, settlement
from reminder.messages.answers import answer
from reminder.messages.context import Context, handle, title
from reminder.messages.report import report_draft
from reminder.messages.wording import listed, moment_words
from reminder.services.office import GROUP, Office

UNREACHED = 12  # people named in one word of those whom nothing reaches


@dataclass(frozen=True)
class Words:
    """What a view is made of: all that is known, and the view's own data."""

    office: Office
    context: Context
    data: Mapping[str, Any]

    def name(self, recipient: str) -> str:
        """A recipient as people know it: a person's name, or a unit's group."""
        if recipient.startswith(GROUP):
            return f"nhóm {self.context.unit(recipient.removeprefix(GROUP))}"
        person = self.office.people.get(recipient)
        return person.name if person else recipient


def _stranger(_: Words) -> Outbound:
    return answers.stranger()


def _too_fast(_: Words) -> Outbound:
    return answer(["Máy nhận được nhiều tin quá nhanh nên chưa ghi. Xin nhắn lại sau một phút."])


def _told_too_often(_: Words) -> Outbound:
    return answer(
        [
            "Chưa ghi gì: trong một giờ qua máy đã chuyển 60 tin của anh/chị đến người khác.",
            "Xin nhắn lại sau một giờ; việc gấp xin gọi điện.",
        ]
    )


def _not_new(_: Words) -> Outbound:
    return answer(
        [
            "Chưa ghi gì: máy không nhận tin đã sửa hoặc tin chuyển tiếp.",
            "Xin nhắn một tin mới, ví dụ: xong 1c",
        ]
    )


def _wordless(_: Words) -> Outbound:
    return answer(["Chưa ghi gì: máy chỉ đọc được chữ. Xin nhắn bằng chữ, ví dụ: xong 1c"])


def _anonymous(_: Words) -> Outbound:
    return answer(
        [
            "Chưa ghi gì: tin này gửi ẩn danh, dưới tên nhóm, nên máy không biết là của ai.",
            "Xin tắt “ẩn danh” trong quyền quản trị nhóm rồi nhắn lại.",
        ]
    )


def _old_button(_: Words) -> Outbound:
    return answer(["Nút này không còn dùng được. Xin nhắn bằng chữ, ví dụ: xong 1c"])


def _welcome(words: Words) -> Outbound | None:
    """To who has just pressed Start: what one of that office can do here."""
    person = words.office.people.get(str(words.data["person"]))
    if person is None:  # taken from the file meanwhile
        return None
    sender = words.office.as_sender(person)
    units = words.context.units(person.units)
    if words.office.leaders.issuperset(person.units):
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
            f"Riêng {words.context.office}: báo xong giúp bộ phận khác, /dathan 5a 15/9 lý do "
            "(đặt hạn), /xacnhan 4b (nhận hạn dự kiến), /dongy 1c (cho gia hạn), /molai 1c lý do"
        )
    return answer([*lines, "Cách dùng: /trogiup"], subject="Đã kết nối")


_FAULTS = {
    "used": "Mã mời này đã được dùng.",
    "expired": "Mã mời này đã hết hạn.",
    "unknown": "Mã mời này không đúng.",
}


def _invitation_fault(words: Words) -> Outbound:
    fault = _FAULTS.get(str(words.data.get("fault")), _FAULTS["unknown"])
    return answer([f"{fault} Xin hỏi nơi đã gửi mã để nhận mã mới."])


def _bound(words: Words) -> Outbound:
    unit = words.context.unit(str(words.data["unit"]))
    return answer([f"Đã nối: nhóm này nhận tin nhắc của {unit}."])


def _bind_in_group(_: Words) -> Outbound:
    return answer(["Lệnh /bind phải nhắn trong nhóm của bộ phận, ví dụ: /bind tu-phap"])


def _bind_by_office(words: Words) -> Outbound:
    return answer([f"Chỉ {words.context.office} nối được nhóm với bộ phận."])


def _bind_unknown(words: Words) -> Outbound:
    known = ", ".join(f"{label} ({unit})" for unit, label in words.data["known"])
    unit = words.data["unit"]
    wrong = f"Không có bộ phận “{unit}”" if unit else "Chưa rõ bộ phận nào"
    return answer([f"{wrong} nên chưa nối. Nhắn /bind kèm tên hoặc mã: {known}"])


def _how_set_due(words: Words) -> Outbound | None:
    state = words.context.states.get(Key(*words.data["key"]))
    return settlement.which_day(words.context, state) if state else None


def _how_note(words: Words) -> Outbound | None:
    state = words.context.states.get(Key(*words.data["key"]))
    if state is None:
        return None
    typed = f"/ghichu {handle(words.context, state)} lý do"
    return answer([f"Ghi lý do {words.context.code(state)} {title(state)}, xin nhắn: {typed}"])


def _how_no(_: Words) -> Outbound:
    return answer(["Đã rõ, không ghi thêm gì."])


def _plan_started(words: Words) -> Outbound | None:
    plan = words.context.plans.get(str(words.data["plan"]))
    if plan is None:
        return None
    known = (words.context.states.get(Key(*key)) for key in words.data["late"])
    held = date.fromisoformat(words.data["held"])
    answered = {e.key for e in words.context.events if e.kind is EventKind.HELD and e.by}
    late = [s for s in known if s and not s.closed and s.held_until and s.key not in answered]
    return settlement.plan_started(words.context, plan, late, held)


def _plan_over(words: Words) -> Outbound | None:
    plan = words.context.plans.get(str(words.data["plan"]))
    if plan is None:
        return None
    lines = [f"Từ hôm nay máy thôi nhắc về {plan.title}. Sổ ghi vẫn được giữ."]
    if not any(map(words.context.speaks, words.context.plans)):
        lines.append("Không còn kế hoạch nào khác nên máy sẽ im lặng: xin nạp kế hoạch năm mới.")
    return answer(lines, subject=f"Kết thúc theo dõi {plan.title}")


def _unit_empty(words: Words) -> Outbound | None:
    unit = str(words.data["unit"])
    if words.office.members(unit):
        return None
    codes = [task.code for plan in words.office.plans for task in plan.tasks if unit in task.lead]
    return notices.unit_empty(words.context, [unit], codes)


def _office_empty(words: Words) -> Outbound | None:
    unit = str(words.data["unit"])
    if words.office.members(unit):
        return None
    return notices.office_empty(words.context, unit)


def _address_dead(words: Words) -> Outbound:
    recipient = str(words.data["recipient"])
    return notices.address_dead(
        words.context,
        name=words.name(recipient),
        person=recipient,
        channel=str(words.data["channel"]),
        reason=str(words.data["reason"]),
        fallback=str(words.data.get("fallback", "")),
        at=datetime.fromisoformat(str(words.data["at"])),
    )


def _channel_down(words: Words) -> Outbound:
    return notices.channel_down(
        words.context,
        channel=str(words.data["channel"]),
        reason=str(words.data["reason"]),
        since=datetime.fromisoformat(str(words.data["since"])),
    )


def _dead_letter(words: Words) -> Outbound:
    return notices.dead_letter(
        words.context,
        row=int(words.data["row"]),
        name=words.name(str(words.data["recipient"])),
        kind=str(words.data["kind"]),
        channel=str(words.data["channel"]),
        reason=str(words.data["reason"]),
        slot=datetime.fromisoformat(str(words.data["slot"])),
    )


def _unreached(words: Words) -> Outbound | None:
    """All whom nothing reaches, in one word; None if everybody has been reached since."""
    people = [p for p in words.office.files.people if not words.office.ways(p.id)]
    if not people:
        return None
    named = [f"{person.name} ({person.id})" for person in people[:UNREACHED]]
    more = [f"{len(people) - UNREACHED} người nữa"] if len(people) > UNREACHED else []
    who = listed([*named, *more])
    lines = (
        f"{words.context.office} lưu ý: tin nhắc chưa tới được {len(people)} người: {who}.",
        "Chưa có địa chỉ nào dùng được. Xin gửi mã mời, hoặc ghi email vào people.toml:",
        "reminder invite MÃ-NGƯỜI",
        "Tổng hợp tuần nêu từng người và lý do.",
    )
    return answer([*lines], subject=f"Chưa liên lạc được {len(people)} người")


def _files_refused(words: Words) -> Outbound:
    return answer(
        [
            f"{vn_day(words.context.today)}: tệp vừa sửa có lỗi nên máy vẫn dùng bản cũ:",
            *[str(line) for line in words.data["problems"]][:20],
        ],
        subject="Tệp cấu hình có lỗi",
    )


def _copies_overdue(words: Words) -> Outbound:
    where = " sang ổ đĩa thứ hai" if words.data["away"] else ""
    made = moment_words(datetime.fromisoformat(str(words.data["since"])), words.context.today)
    last = f"Bản sao cuối: {made}." if words.data["ever"] else "Chưa có bản nào."
    return answer(
        [
            f"Đã ba ngày máy không sao lưu được dữ liệu{where}. {last}",
            "Nhờ người quản trị chạy: reminder doctor. Việc nhắc vẫn như thường.",
        ],
        subject="Chưa sao lưu được dữ liệu",
    )


VIEWS: Mapping[str, Callable[[Words], Outbound | None]] = {
    "stranger": _stranger,
    "too-fast": _too_fast,
    "told-too-often": _told_too_often,
    "edited-or-forwarded": _not_new,
    "wordless": _wordless,
    "anonymous": _anonymous,
    "old-button": _old_button,
    "welcome": _welcome,
    "invitation-fault": _invitation_fault,
    "bound": _bound,
    "bind-in-group": _bind_in_group,
    "bind-by-office": _bind_by_office,
    "bind-unknown": _bind_unknown,
    "how-set-due": _how_set_due,
    "how-note": _how_note,
    "how-no": _how_no,
    "plan-started": _plan_started,
    "plan-over": _plan_over,
    "unit-empty": _unit_empty,
    "office-empty": _office_empty,
    "address-dead": _address_dead,
    "channel-down": _channel_down,
    "dead-letter": _dead_letter,
    "unreached": _unreached,
    "files-refused": _files_refused,
    "copies-overdue": _copies_overdue,
    "report-draft": lambda words: report_draft(words.office, words.context.today, words.data),
}
