"""What is said when a text was not understood: what to type instead, in one or two sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches

from reminder.domain.calendar import vn_date
from reminder.domain.plan import Awaiting, Deliverable, Kind, Task
from reminder.understanding.codes import CodeBook
from reminder.understanding.model import CommandError, Meaning, Reason, Target
from reminder.understanding.verbs import Verb, nearest

MAX_CHARS = 4096  # Telegram's longest message
# Words and signs. A full message of prose has 1,030. Of 90 pieces (“1c đã ”, “1.” …),
# repeated alone or by two to four, the worst so long cost 90 ms of a busy core (11/2026, 3.11).
MAX_TOKENS = 1100
MAX_CODES = 200  # named in one text; a range counts for every task of the plans

_SPELT = re.compile(r"\d{1,2}[a-zđ]{1,2}", re.IGNORECASE)  # a word that was meant as a code


def _error(reason: Reason, say: str, targets: Sequence[Target] = ()) -> CommandError:
    return CommandError(reason=reason, say=say, targets=tuple(targets))


EMPTY = _error(Reason.EMPTY, "Tin chưa có chữ nào. Xong việc, anh/chị nhắn ví dụ: xong 1c")
TOO_LONG = _error(
    Reason.TOO_LONG,
    "Tin dài quá 4.096 ký tự nên chưa ghi gì. Anh/chị gửi thành vài tin ngắn hơn.",
)
TOO_MANY_WORDS = _error(
    Reason.TOO_LONG,
    "Tin có hơn 1.100 chữ và dấu nên chưa ghi gì. Anh/chị gửi thành vài tin ngắn hơn.",
)
TOO_MANY_CODES = _error(
    Reason.TOO_LONG,
    "Tin nêu quá nhiều mã việc nên chưa ghi gì. Anh/chị gửi thành vài tin ngắn hơn.",
)
NOT_FOR_US = _error(Reason.NOT_FOR_US, "Lệnh này gửi cho máy khác nên máy không ghi gì.")
BAD_DAYS = _error(
    Reason.BAD_DATE, "Số ngày phải từ 1 đến 366 nên chưa ghi gì. Ví dụ: nhắc sau 1c 3"
)
NEEDS_ALL_TEXT = _error(
    Reason.NEEDS_TEXT,
    "Chưa có nội dung. Không có gì phát sinh, anh/chị nhắn: cập nhật tất cả bình thường",
)
NEEDS_INVITATION = _error(
    Reason.NEEDS_CODE, "Cần mã mời. Anh/chị bấm đường dẫn đã nhận, hoặc gõ: /start rồi mã mời"
)


def unknown_command(name: str) -> CommandError:
    near = nearest(name)
    hint = f"Có phải anh/chị muốn gõ {near.row.slash}?" if near else "Gõ /trogiup để xem các lệnh."
    return _error(Reason.UNKNOWN_COMMAND, f"Không có lệnh /{name[:32]}. {hint}")


def not_understood(meaning: Meaning) -> CommandError:
    if meaning.only_reads:
        say = "Máy chưa hiểu tin này. Việc đang mở: /viec. Bản tổng hợp: /tonghop. Còn gì: /trogiup"
        return _error(Reason.NOT_UNDERSTOOD, say)
    code = _example(meaning)
    return _error(
        Reason.NOT_UNDERSTOOD,
        f"Máy chưa hiểu tin này nên chưa ghi gì. Xong việc, anh/chị nhắn: xong {code}. "
        f"Vướng gì, nhắn: {code} rồi nội dung. Xem việc của mình: /viec",
    )


def needs_code(verb: Verb, meaning: Meaning, word: str = "") -> CommandError:
    """No code was named; `word` is what stands in its place."""
    if _SPELT.fullmatch(word):
        return unknown_code(word, CodeBook(meaning.plans), verb, meaning)
    every = "; nhận tất cả, nhắn: /xacnhan tất cả" if verb is Verb.CONFIRM else ""
    return _error(
        Reason.NEEDS_CODE,
        f"Chưa rõ việc nào nên chưa ghi gì. Anh/chị nhắn kèm mã, ví dụ: "
        f"{verb.row.typed(_example(meaning, verb))}{every}",
    )


def which_code(verb: Verb, targets: Sequence[Target]) -> CommandError:
    codes = list(dict.fromkeys(target.task for target in targets))
    forms = " · ".join(verb.row.typed(code) for code in codes[:6])
    return _error(
        Reason.WHICH_CODE,
        f"Tin trên có {len(codes)} việc nên chưa ghi gì. Anh/chị nhắn một trong các câu: {forms}",
        targets,
    )


def unknown_code(
    code: str, book: CodeBook, verb: Verb | None = None, meaning: Meaning | None = None
) -> CommandError:
    """Say that “9z”, or a bare “2” where there are 2a, 2b …, is no code; with an example."""
    if code.isdigit() and (under := book.under(int(code))):
        return _error(
            Reason.AMBIGUOUS_CODE,
            f"Mục {code} có nhiều việc ({', '.join(under)}) nên chưa ghi gì. "
            f"Anh/chị nhắn rõ mã, ví dụ: {(verb or Verb.DONE).row.typed(under[0])}",
        )
    near = get_close_matches(code, book.tasks, n=3, cutoff=0.5)
    hint = f"Gần nhất: {', '.join(near)}." if near else "Gõ /viec để xem mã các việc."
    if verb and meaning and not near:
        hint = f"Xem mã các việc: /viec. Ví dụ: {verb.row.typed(_example(meaning, verb))}"
    return _error(Reason.UNKNOWN_CODE, f"Kế hoạch không có việc {code} nên chưa ghi gì. {hint}")


def code_or_day(code: str, day: date) -> CommandError:
    """Ask about “xong 1.1 2.3”, where 2.3 is a code of the plan."""
    return _error(
        Reason.AMBIGUOUS_CODE,
        f"“{code}” có thể là việc {code} hoặc ngày {vn_date(day)} nên chưa ghi gì. "
        f"Nếu là việc, anh/chị viết: việc {code}; nếu là ngày, viết: ngày {vn_date(day)}",
    )


def comma(code: str) -> CommandError:
    """Ask about “xong 1,1”, where 1.1 is a code of the plan."""
    return _error(
        Reason.AMBIGUOUS_CODE,
        f"“{code.replace('.', ',')}” có phải việc {code} không? Chưa ghi gì. "
        f"Nếu phải, anh/chị nhắn: xong {code}",
        (Target(task=code),),
    )


def nothing_in_range(first: str, last: str) -> CommandError:
    return _error(
        Reason.UNKNOWN_CODE,
        f"Từ {first} đến {last} không có việc nào của bộ phận anh/chị. Gõ /viec để xem mã.",
    )


def bare_number(task: Task, number: int) -> CommandError:
    if len(task.deliverables) == 1:
        return _error(
            Reason.BARE_NUMBER,
            f"Chưa rõ số {number} sau {task.code} là gì nên chưa ghi gì. "
            f"Xong việc, nhắn: xong {task.code}. Có số văn bản, nhắn: {task.code} số {number}/…",
            (Target(task=task.code),),
        )
    return _error(
        Reason.BARE_NUMBER,
        f"{task.code} không có phần {number} nên chưa ghi gì. Anh/chị nhắn: {_parts(task)}",
        (Target(task=task.code),),
    )


def unknown_deliverable(task: Task, word: str) -> CommandError:
    return _error(
        Reason.UNKNOWN_DELIVERABLE,
        f"{task.code} không có phần “{word[:40]}” nên chưa ghi gì. Anh/chị nhắn: {_parts(task)}",
        (Target(task=task.code),),
    )


def unknown_unit(word: str, labels: Iterable[str]) -> CommandError:
    return _error(
        Reason.UNKNOWN_UNIT,
        f"Không có bộ phận “{word[:40]}”. Anh/chị gõ một trong: {', '.join(labels)}",
    )


def corrected(denied: Sequence[str], meant: Sequence[str]) -> CommandError:
    """Say that undoing and doing are two things to type: “nhầm, 1đ chứ không phải 1d”."""
    undo = " · ".join(Verb.UNDO.row.typed(code) for code in denied) or "hoàn tác kèm mã báo nhầm"
    again = " · ".join(Verb.DONE.row.typed(code.replace("đ", "dd")) for code in meant)
    then = f"; rồi nhắn: {again}" if again else ""
    return _error(
        Reason.NOT_UNDERSTOOD, f"Máy chưa đổi gì. Anh/chị nhắn câu báo nhầm trước: {undo}{then}"
    )


def bad_date(text: str) -> CommandError:
    return _error(
        Reason.BAD_DATE,
        f"Không có ngày “{text[:40]}” nên chưa ghi gì. Anh/chị viết ngày như 15/3 hoặc 15/3/2024.",
    )


def turned_round(since: date, until: date) -> CommandError:
    """Say that the last day stands before the first: “10/02-01/02”."""
    return _error(
        Reason.BAD_DATE,
        f"Ngày cuối ({vn_date(until)}) ở trước ngày đầu ({vn_date(since)}) nên chưa ghi gì. "
        f"Anh/chị nhắn ngày đầu trước, ví dụ: /nghiphep {vn_date(until)}-{vn_date(since)}",
    )


def bad_period(task: Task, said: str, known: Sequence[str]) -> CommandError:
    ways = f"Có các kỳ: {', '.join(known)}." if known else f"Anh/chị nhắn: xong {task.code}"
    return _error(
        Reason.BAD_PERIOD,
        f"{task.code} không có kỳ “{said[:40]}” nên chưa ghi gì. {ways}",
        (Target(task=task.code),),
    )


def no_period(said: str) -> CommandError:
    return _error(
        Reason.BAD_PERIOD,
        f"Chưa rõ “{said[:40]}” là kỳ báo cáo nào. Anh/chị nhắn, ví dụ: /baocao quý I",
    )


def needs_date(verb: Verb, code: str) -> CommandError:
    if verb is Verb.AWAY:
        return _error(
            Reason.NEEDS_DATE,
            "Chưa rõ nghỉ từ ngày nào đến ngày nào nên chưa ghi gì. Anh/chị nhắn, ví dụ: "
            "/nghiphep 01/02-10/02; về sớm, nhắn: /nghiphep hủy",
        )
    example = verb.row.typed(code)
    if verb is Verb.SNOOZE:
        example += f" (số ngày), hoặc nhắc sau {code} 15/3"
    return _error(
        Reason.NEEDS_DATE, f"Chưa rõ đến ngày nào nên chưa ghi gì. Anh/chị nhắn, ví dụ: {example}"
    )


def needs_reason(verb: Verb, code: str) -> CommandError:
    return _error(Reason.NEEDS_REASON, f"Cần một dòng lý do. Anh/chị nhắn: {verb.row.typed(code)}")


def needs_text(verb: Verb, code: str) -> CommandError:
    if verb is Verb.UPDATE:
        forms = f"{code} thẩm định 03 văn bản. Không có gì phát sinh, nhắn: {code} bình thường"
    else:
        forms = verb.row.typed(code)
    return _error(Reason.NEEDS_TEXT, f"Chưa có nội dung. Anh/chị nhắn, ví dụ: {forms}")


def _parts(task: Task) -> str:
    return " · ".join(f"xong {task.code} {d.number} ({d.name})" for d in task.deliverables[:6])


def _example(meaning: Meaning, verb: Verb = Verb.DONE) -> str:
    """Return a code for examples, of work that the verb is about."""
    tasks = [task for plan in meaning.plans for task in plan.tasks]
    about = [task for task in tasks if any(_is_about(verb, each) for each in task.deliverables)]
    fit = [task for task in about if len(task.deliverables) == 1] or about
    own = [task for task in fit if any(unit in meaning.units for unit in task.lead)]
    return (own or fit or tasks)[0].code if tasks else "1c"


def _is_about(verb: Verb, deliverable: Deliverable) -> bool:
    match verb:
        case Verb.SETDUE:
            return isinstance(deliverable.rule, Awaiting)
        case Verb.EVENT:
            return deliverable.event is not None
        case Verb.CONFIRM:
            return deliverable.assumed and deliverable.kind is Kind.PRODUCT
        case Verb.UPDATE:
            return deliverable.kind is Kind.CHECK_IN
    return deliverable.kind is Kind.PRODUCT and not isinstance(deliverable.rule, Awaiting)
