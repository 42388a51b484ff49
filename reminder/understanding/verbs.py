"""The table of verbs: what each is called and takes, who may use it, and what decides it.

The parser, the rights, the buttons, the help and the command line are made from the rows of `Verb`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from difflib import get_close_matches
from enum import Enum, StrEnum, auto
from typing import Any, Self

from reminder.domain.text import fold
from reminder.understanding.lexicon import Mood
from reminder.understanding.spelling import Phrases


class Takes(Enum):
    """What stands behind a verb."""

    NOTHING = auto()  # whatever stands there is passed over
    CLAUSES = auto()  # codes and what is said of them, clause by clause, as without a verb
    TASKS = auto()  # codes
    TASKS_OR_NONE = auto()  # codes; without any, what is due
    TASKS_OR_ALL = auto()  # codes, or “tất cả”
    MAYBE_DAY = auto()  # codes, perhaps a day
    DAY = auto()  # codes, a day or a number of days, perhaps a reason
    DATE = auto()  # codes, a day, perhaps a reason
    NOTE = auto()  # codes, perhaps a text
    TEXT = auto()  # codes and a text
    REASON = auto()  # codes and a reason
    UNIT = auto()
    UNIT_OR_TASK = auto()
    PERIOD = auto()  # of a report
    ABSENCE = auto()  # days off, perhaps whose
    INVITATION = auto()  # its code


class Opens(Enum):
    """Whether a verb's names and phrases open a message without a slash."""

    NEVER = auto()  # with a slash only; without one, what is said of the work decides
    ALONE = auto()  # everyday words: only where nothing else is said
    MILDLY = auto()  # unless the message says “xong”, “chưa” …
    ALWAYS = auto()  # whatever else is said


class Who(Enum):
    """Who may use a verb; whose work it may touch, its handler decides."""

    ANYBODY = auto()
    LEAD = auto()  # the units that lead the work; the office does it for nobody else
    READERS = auto()  # the office and the leaders
    OFFICE = auto()


class Reader(Enum):
    """Whom a line of the help is for."""

    OFFICER = auto()
    LEADER = auto()
    OFFICE = auto()  # beside the officers' lines


@dataclass(frozen=True, slots=True)
class Terminal:
    """A verb as a command of the terminal: `reminder done MÃ... --by NGƯỜI`."""

    arguments: str
    help: str
    example: str  # of the arguments
    dated: bool = False  # the day and the words may be options too: --day, --note


@dataclass(frozen=True, slots=True)
class Row:
    """All that is known of one verb."""

    called: str  # behind a slash, without marks as Telegram asks; perhaps in Vietnamese too
    _: KW_ONLY
    handler: str  # module.function of `decisions`
    without: str = ""  # the handler where no task is named
    takes: Takes = Takes.TASKS
    opens: Opens = Opens.MILDLY
    phrases: tuple[str, ...] = ()  # what opens a message too, beside the names
    moods: tuple[Mood, ...] = ()  # what says it in a clause; its phrases are in lexicon.toml
    example: str = ""  # as officers are told to type it, {} is a code; “/twin {}” if empty
    who: Who = Who.ANYBODY
    deed: str = ""  # what is refused: “chỉ Văn phòng … được”
    reads: bool = False  # records nothing, so that a range is answered at once
    closes: bool = False  # may close or reopen work
    denies: bool = False  # outweighs a “xong” of the same work in the same text
    small_talk: bool = False  # needs no code; in a group it is answered only in a reply
    button: str = ""  # the word in a button's data
    # What the help says of it: which line, shared with other verbs or not, and the words, in which
    # what stands in `…` is to be typed and {office} is the office's name.
    help: Mapping[Reader, tuple[int, str]] = field(default_factory=dict)
    terminal: Terminal | None = None
    stored: str = ""  # in payloads of the outbox, where it is not the name

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.called.split())

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def slash(self) -> str:
        """The name that officers are told of: “/dathan”."""
        return f"/{self.names[-1]}"

    def typed(self, code: str) -> str:
        """Return how it is typed for `code`."""
        return (self.example or f"{self.slash} {{}}").format(code)


_OFFICER, _LEADER, _OFFICE = Reader.OFFICER, Reader.LEADER, Reader.OFFICE


class Verb(StrEnum):
    """What the sender wants, or says about the work."""

    row: Row

    def __new__(cls, row: Any) -> Self:  # Any: type checkers take Verb("done") for a call of it
        verb = str.__new__(cls, row.stored or row.name)
        verb._value_ = row.stored or row.name
        verb.row = row
        return verb

    # With `evidence` alone: a closed task's number and date may be told after.
    DONE = Row(
        "done xong",
        handler="answers.done",
        takes=Takes.CLAUSES,
        opens=Opens.NEVER,
        moods=(Mood.DONE,),
        example="xong {}",
        closes=True,
        button="done",
        help={_OFFICER: (1, "`xong 1c` – báo xong (kèm số: `xong 1c số 12/QĐ-UBND ngày 30/01`)")},
        terminal=Terminal("MÃ...", "Báo việc đã xong.", '1c "2c 2024-03"'),
    )
    UPDATE = Row(
        "update capnhat",
        handler="answers.update",
        takes=Takes.CLAUSES,
        opens=Opens.ALWAYS,
        phrases=("cập nhật", "cập nhật tình hình", "xin cập nhật"),
        moods=(Mood.STANDING,),
        example="cập nhật {} rồi nội dung",
        closes=True,
        help={
            _OFFICER: (
                2,
                "`cập nhật 1a …` – tình hình việc thường xuyên; `cập nhật tất cả bình thường`",
            )
        },
        terminal=Terminal(
            "MÃ NỘI-DUNG...", "Trả lời việc thường xuyên.", "1a thẩm định 02 văn bản"
        ),
    )
    SUBMIT = Row(
        "submit trinhky",
        handler="answers.submit",
        takes=Takes.CLAUSES,
        opens=Opens.NEVER,
        moods=(Mood.SUBMITTED,),
        example="trình ký {}",
        help={_OFFICER: (3, "`trình ký 1c` – đã trình, chờ ký")},
        terminal=Terminal("MÃ...", "Báo việc đã trình ký.", "1c"),
    )
    RETURN = Row(
        "return tralai",
        handler="answers.give_back",
        takes=Takes.NOTE,
        opens=Opens.NEVER,
        moods=(Mood.RETURNED,),
        denies=True,
        terminal=Terminal("MÃ...", "Báo văn bản bị trả lại, chưa ký.", "1c"),
    )
    UNDO = Row(
        "undo hoantac",
        handler="answers.undo",
        without="answers.undo_last",
        takes=Takes.NOTE,
        opens=Opens.ALWAYS,
        phrases=("hoàn tác",),
        moods=(Mood.UNDO,),
        example="hoàn tác {}",
        closes=True,
        denies=True,
        button="undo",
        help={_OFFICER: (8, "`hoàn tác 1c` – trong 1 giờ sau khi báo xong")},
        terminal=Terminal("MÃ...", "Rút lại điều vừa báo.", "1c"),
    )
    # Of what was recorded in the sender's name, by somebody else.
    DISOWN = Row(
        "disown khongphaitoi",
        handler="answers.disown",
        takes=Takes.NOTHING,
        opens=Opens.ALONE,
        phrases=(
            *("không phải tôi", "không phải em", "không phải mình", "không phải tôi gửi"),
            *("không phải em gửi", "tôi không gửi", "em không gửi", "không phải do tôi"),
        ),
        example="không phải tôi",
        closes=True,
        help={_OFFICER: (8, "`/khongphaitoi` – trong 24 giờ, khi người khác mạo tên gửi")},
    )
    NOTE = Row(
        "note ghichu",
        handler="answers.note",
        takes=Takes.TEXT,
        opens=Opens.ALWAYS,
        phrases=("ghi chú",),
        example="ghi chú {} rồi nội dung",
        help={_OFFICER: (6, "`/ghichu 1c lý do` – ghi chú cho {office}")},
        terminal=Terminal("MÃ NỘI-DUNG...", "Ghi chú vào việc.", "1c chờ số liệu của thuế"),
    )
    SNOOZE = Row(
        "snooze nhacsau",
        handler="dates.snooze",
        takes=Takes.DAY,
        opens=Opens.ALWAYS,
        phrases=("nhắc sau", "nhắc lại sau"),
        moods=(Mood.SNOOZE,),
        example="nhắc sau {} 3",
        who=Who.LEAD,
        button="snooze",
        help={_OFFICER: (5, "`/nhacsau 1c 3` – nhắc lại sau 3 ngày")},
        terminal=Terminal("MÃ NGÀY", "Hẹn nhắc lại sau.", "1c 3"),
    )
    EXTEND = Row(
        "extend giahan",
        handler="dates.extend",
        takes=Takes.DAY,
        opens=Opens.ALWAYS,
        phrases=("gia hạn", "xin gia hạn"),
        moods=(Mood.EXTEND,),
        example="gia hạn {} 15/3 kèm lý do",
        who=Who.LEAD,
        help={_OFFICER: (4, "`gia hạn 1c 05/02 lý do` – xin thêm thời gian")},
        terminal=Terminal("MÃ NGÀY LÝ-DO...", "Xin gia hạn.", "1c 05/02 chờ số liệu"),
    )
    APPROVE = Row(
        "approve dongy",
        handler="dates.approve",
        takes=Takes.MAYBE_DAY,
        phrases=("đồng ý", "duyệt"),
        who=Who.OFFICE,
        deed="quyết việc xin gia hạn",
        button="approve",
        help={_OFFICE: (2, "`/dongy 1c`")},
        terminal=Terminal("MÃ [NGÀY]", "Đồng ý gia hạn (Văn phòng).", "1c"),
    )
    REJECT = Row(
        "reject khongdongy",
        handler="dates.reject",
        takes=Takes.NOTE,
        opens=Opens.ALWAYS,
        phrases=("không đồng ý", "ko đồng ý", "k đồng ý", "từ chối"),
        example="/khongdongy {} lý do",
        who=Who.OFFICE,
        deed="quyết việc xin gia hạn",
        button="refuse",
        help={_OFFICE: (2, "`/khongdongy 1c` – quyết việc xin gia hạn")},
        terminal=Terminal("MÃ [LÝ-DO...]", "Không đồng ý gia hạn (Văn phòng).", "1c cần trước Tết"),
    )
    SETDUE = Row(
        "setdue dathan",
        handler="dates.set_due",
        takes=Takes.DATE,
        opens=Opens.ALWAYS,
        phrases=("đặt hạn",),
        example="/dathan {} 15/9 lý do",
        who=Who.OFFICE,
        deed="đặt hạn",
        help={_OFFICE: (1, "`/dathan 5a 15/9/2024 lý do` – đặt hoặc dời hạn")},
        terminal=Terminal("MÃ NGÀY [LÝ-DO...]", "Đặt hoặc đổi hạn (Văn phòng).", "5a 15/9/2024"),
    )
    EVENT = Row(
        "event sukien",
        handler="dates.name_event",
        takes=Takes.DATE,
        phrases=("sự kiện", "ngày sự kiện"),
        example="/sukien {} 12/5 nhận công văn 15/UBND",
        who=Who.OFFICE,
        deed="ghi ngày của sự kiện mà hạn tính theo",
        help={_OFFICE: (1, "`/sukien 5a 12/5 nhận công văn 15/UBND` – hạn tính từ ngày ấy")},
        terminal=Terminal(
            "MÃ [NGÀY] [NỘI-DUNG...]",
            "Ghi ngày của sự kiện mà hạn tính theo (Văn phòng).",
            '5a --day 2026-05-12 --note "nhận công văn 15/UBND"',
            dated=True,
        ),
    )
    CONFIRM = Row(
        "confirm xacnhan",
        handler="dates.confirm",
        takes=Takes.TASKS_OR_ALL,
        phrases=("xác nhận",),
        who=Who.OFFICE,
        deed="xác nhận hạn",
        help={_OFFICE: (1, "`/xacnhan 4b`, `/xacnhan tất cả` – nhận hạn dự kiến")},
        terminal=Terminal("MÃ...", "Xác nhận hạn dự kiến (Văn phòng).", "tất cả"),
    )
    REMIND = Row(
        "remind nhacngay",
        handler="dates.remind",
        phrases=("nhắc ngay", "nhắc lại"),
        who=Who.OFFICE,
        deed="cho nhắc ngay",
        button="remind",
        help={_OFFICE: (4, "`/nhacngay 1c` – nhắc lại ngay")},
        terminal=Terminal("MÃ...", "Nhắc ngay (Văn phòng).", "1c"),
    )
    REOPEN = Row(
        "reopen molai",
        handler="answers.reopen",
        takes=Takes.REASON,
        opens=Opens.ALWAYS,
        phrases=("mở lại",),
        example="/molai {} lý do",
        who=Who.OFFICE,
        deed="mở lại việc",
        closes=True,
        help={_OFFICE: (4, "`/molai 1c lý do` – mở lại")},
        terminal=Terminal(
            "MÃ LÝ-DO...", "Mở lại việc đã xong (Văn phòng).", "1c còn thiếu phụ lục"
        ),
    )
    AWAY = Row(
        "away nghiphep",
        handler="dates.away",
        takes=Takes.ABSENCE,
        opens=Opens.ALWAYS,
        phrases=("nghỉ phép", "xin nghỉ phép", "xin phép nghỉ", "xin phép nghỉ phép", "xin nghỉ"),
        deed="ghi ngày nghỉ của người khác",
        help={
            _OFFICER: (
                7,
                (
                    "`/nghiphep 01/02-10/02` – nghỉ phép, tin nhắc gửi người khác; "
                    "về sớm: `/nghiphep hủy`"
                ),
            ),
            _OFFICE: (3, "`/nghiphep MÃ-NGƯỜI 01/02-10/02` – ghi ngày nghỉ của một người"),
        },
        terminal=Terminal("NGÀY-NGÀY", "Báo những ngày nghỉ.", "01/02-10/02"),
    )
    # It may be done: to be asked back, with the words as its note.
    CLAIM = Row("claim hoilai", handler="answers.claim", takes=Takes.NOTE, moods=(Mood.DOUBT,))
    NOT_DONE = Row(
        "notdone chuaxong",
        handler="answers.not_done",
        without="answers.heard",
        takes=Takes.NOTE,
        moods=(Mood.NOT,),
        denies=True,
        small_talk=True,
        button="not-yet",
        stored="not-done",
    )
    DOING = Row(
        "doing danglam",
        handler="answers.doing",
        without="answers.heard",
        takes=Takes.NOTE,
        opens=Opens.ALONE,
        moods=(Mood.DOING,),
        closes=True,
        denies=True,
        small_talk=True,
    )
    # Read; nothing is said about the work.
    SEEN = Row(
        "seen danhan",
        handler="answers.seen",
        without="answers.heard",
        opens=Opens.ALONE,
        moods=(Mood.SEEN, Mood.AGREED),
        reads=True,
        small_talk=True,
    )
    # “xong chưa?”
    ASK = Row(
        "ask hoi",
        handler="answers.ask",
        without="listings.tasks",
        opens=Opens.NEVER,
        moods=(Mood.ASK,),
        reads=True,
        denies=True,
        small_talk=True,
    )
    TASKS = Row(
        "tasks viec",
        handler="listings.tasks",
        takes=Takes.UNIT_OR_TASK,
        opens=Opens.ALONE,
        phrases=("việc", "danh sách việc", "việc của tôi", "các việc"),
        reads=True,
        help={
            _OFFICER: (9, "`/viec` – việc của bộ phận"),
            _LEADER: (1, "`/viec` – việc đang mở, việc quá hạn"),
        },
    )
    TASK = Row(
        "task nhiemvu",
        handler="listings.task",
        without="listings.tasks",
        example="việc {}",
        reads=True,
        help={
            _OFFICER: (9, "`/nhiemvu 1c` – một việc"),
            _LEADER: (2, "`/nhiemvu 1c` – một việc: hạn, ai làm, đã đến đâu"),
        },
    )
    DUE = Row(
        "due han",
        handler="listings.due",
        takes=Takes.TASKS_OR_NONE,
        opens=Opens.ALONE,
        phrases=("hạn",),
        reads=True,
        help={_OFFICER: (9, "`/han` – hạn sắp tới"), _LEADER: (3, "`/han` – những hạn sắp tới")},
    )
    HISTORY = Row(
        "history lichsu",
        handler="listings.history",
        phrases=("lịch sử",),
        example="lịch sử {}",
        reads=True,
        help={_OFFICER: (9, "`/lichsu 1c` – lịch sử")},
    )
    HELP = Row(
        "help trogiup",
        handler="listings.help_text",
        takes=Takes.NOTHING,
        opens=Opens.ALONE,
        phrases=("trợ giúp", "hướng dẫn", "giúp với"),
        reads=True,
    )
    REPORT = Row(
        "report baocao",
        handler="listings.report",
        takes=Takes.PERIOD,
        phrases=("dự thảo báo cáo", "xuất báo cáo"),
        who=Who.OFFICE,
        deed="lấy dự thảo báo cáo",
        reads=True,
        help={_OFFICE: (5, "`/baocao` – dự thảo báo cáo (tệp Word); kỳ khác: `/baocao quý I`")},
    )
    DIGEST = Row(
        "digest tonghop",
        handler="listings.digest",
        takes=Takes.NOTHING,
        opens=Opens.ALONE,
        phrases=("tổng hợp", "tổng hợp tuần"),
        who=Who.READERS,
        reads=True,
        help={_OFFICE: (6, "`/tonghop` – bản tổng hợp"), _LEADER: (3, "`/tonghop` – bản tổng hợp")},
    )
    ZALO = Row(
        "zalo",
        handler="listings.digest",
        takes=Takes.NOTHING,
        opens=Opens.ALONE,
        who=Who.READERS,
        reads=True,
        help={_OFFICE: (6, "`/zalo` – bản dán vào nhóm")},
    )
    # The service answers these two itself.
    START = Row("start", handler="listings.unhandled", takes=Takes.INVITATION, opens=Opens.NEVER)
    BIND = Row(
        "bind",
        handler="listings.unhandled",
        takes=Takes.UNIT,
        opens=Opens.NEVER,
        help={_OFFICE: (6, "`/bind tu-phap` – gắn nhóm Telegram với bộ phận")},
    )


BY_MOOD = {mood: verb for verb in Verb for mood in verb.row.moods}
BY_NAME = {name: verb for verb in Verb for name in verb.row.names}
# What opens a message without a slash and governs all of it.
HEADS: Phrases[Verb] = Phrases(
    {
        phrase: verb
        for verb in Verb
        if verb.row.opens is not Opens.NEVER
        for phrase in (*verb.row.names, *verb.row.phrases)
    }
)
LISTED = "xem lại"  # behind a command's name: list back what it covers before it acts


def verb_called(name: str) -> Verb | None:
    return BY_NAME.get(fold(name))


def nearest(name: str) -> Verb | None:
    """Return the verb that `name` was probably meant to be."""
    close = get_close_matches(fold(name)[:32], BY_NAME, n=1, cutoff=0.6)
    return BY_NAME[close[0]] if close else None


def help_lines(reader: Reader, but: Collection[Verb] = ()) -> list[str]:
    """Return the help's lines about verbs for this reader, without those of `but`."""
    lines: dict[int, list[str]] = {}
    told = (verb.row for verb in Verb if verb not in but and reader in verb.row.help)
    for line, text in (row.help[reader] for row in told):
        lines.setdefault(line, []).append(text)
    return [" · ".join(lines[line]) for line in sorted(lines)]
