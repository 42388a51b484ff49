"""What each command is called, with a slash and without."""

from __future__ import annotations

from difflib import get_close_matches

from reminder.domain.text import Phrases, fold
from reminder.understanding.model import Verb

# English name first, then its Vietnamese twin; both without marks, as Telegram asks.
NAMES: dict[Verb, tuple[str, ...]] = {
    Verb.DONE: ("done", "xong"),
    Verb.UPDATE: ("update", "capnhat"),
    Verb.SUBMIT: ("submit", "trinhky"),
    Verb.RETURN: ("return", "tralai"),
    Verb.UNDO: ("undo", "hoantac"),
    Verb.REOPEN: ("reopen", "molai"),
    Verb.TASKS: ("tasks", "viec"),
    Verb.TASK: ("task", "nhiemvu"),
    Verb.DUE: ("due", "han"),
    Verb.SNOOZE: ("snooze", "nhacsau"),
    Verb.EXTEND: ("extend", "giahan"),
    Verb.NOTE: ("note", "ghichu"),
    Verb.HISTORY: ("history", "lichsu"),
    Verb.HELP: ("help", "trogiup"),
    Verb.START: ("start",),
    Verb.BIND: ("bind",),
    Verb.SETDUE: ("setdue", "dathan"),
    Verb.CONFIRM: ("confirm", "xacnhan"),
    Verb.APPROVE: ("approve", "dongy"),
    Verb.REJECT: ("reject", "khongdongy"),
    Verb.DIGEST: ("digest", "tonghop"),
    Verb.REMIND: ("remind", "nhacngay"),
    Verb.ZALO: ("zalo",),
    Verb.AWAY: ("away", "nghiphep"),
    Verb.REPORT: ("report", "baocao"),
    Verb.NOT_DONE: ("notdone", "chuaxong"),
    Verb.DOING: ("doing", "danglam"),
    Verb.SEEN: ("seen", "danhan"),
    Verb.ASK: ("ask", "hoi"),
    Verb.CLAIM: ("claim", "hoilai"),
}
BY_NAME = {name: verb for verb, names in NAMES.items() for name in names}

# Words that open a message without a slash and govern all of it.
_SPOKEN: dict[Verb, tuple[str, ...]] = {
    Verb.UPDATE: ("cập nhật", "cập nhật tình hình", "xin cập nhật"),
    Verb.REOPEN: ("mở lại",),
    Verb.SNOOZE: ("nhắc sau", "nhắc lại sau"),
    Verb.EXTEND: ("gia hạn", "xin gia hạn"),
    Verb.NOTE: ("ghi chú", "note"),
    Verb.HISTORY: ("lịch sử",),
    Verb.HELP: ("trợ giúp", "hướng dẫn", "giúp với"),
    Verb.SETDUE: ("đặt hạn",),
    Verb.CONFIRM: ("xác nhận",),
    Verb.APPROVE: ("đồng ý", "duyệt"),
    Verb.REJECT: ("không đồng ý", "ko đồng ý", "k đồng ý", "từ chối"),
    Verb.REMIND: ("nhắc ngay", "nhắc lại"),
    Verb.UNDO: ("hoàn tác", "undo"),
    Verb.DUE: ("hạn",),
    Verb.DIGEST: ("tổng hợp", "tổng hợp tuần"),
    Verb.TASKS: ("việc", "danh sách việc", "việc của tôi", "các việc"),
    Verb.AWAY: ("nghỉ phép", "xin nghỉ phép"),
    Verb.REPORT: ("dự thảo báo cáo", "xuất báo cáo"),
}
_NEVER_SPOKEN = frozenset(
    {Verb.DONE, Verb.SUBMIT, Verb.RETURN, Verb.ASK, Verb.START, Verb.BIND}
)  # moods say these
HEADS: Phrases[Verb] = Phrases(
    {
        **{name: verb for name, verb in BY_NAME.items() if verb not in _NEVER_SPOKEN},
        **{phrase: verb for verb, phrases in _SPOKEN.items() for phrase in phrases},
    }
)
# Heads that are also everyday words: commands only where nothing else is said.
ALONE = frozenset({Verb.TASKS, Verb.DIGEST, Verb.HELP, Verb.ZALO, Verb.DUE, Verb.SEEN, Verb.DOING})


LISTED = "xem lại"  # behind a command's name: list back what it covers before it acts


def verb_called(name: str) -> Verb | None:
    return BY_NAME.get(fold(name))


def nearest(name: str) -> str | None:
    """The known command that `name` was probably meant to be."""
    close = get_close_matches(fold(name)[:32], BY_NAME, n=1, cutoff=0.6)
    return close[0] if close else None


def command_name(verb: Verb) -> str:
    return NAMES[verb][0]
