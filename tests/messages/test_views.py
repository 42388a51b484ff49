"""Every view of every decision is a message: it names the task, what remains, what to type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings

from reminder.app.channels import known_channels
from reminder.domain.outbox import Outbound
from reminder.domain.payloads import (
    ClosedNotice,
    Done,
    Evidence,
    ExtensionAsked,
    History,
    Payload,
    Refused,
    Several,
    StatusAsked,
    TaskDetails,
    Updated,
)
from reminder.domain.plan import Key, Kind, Plan, Recurrence
from reminder.messages.context import Context
from reminder.messages.rows import render
from reminder.services.office import Files, Office
from reminder.understanding.model import Command
from reminder.understanding.parse import parse
from tests.conftest import examples
from tests.decisions.decide_kit import PEOPLE, Room, next_plan
from tests.decisions.test_decide_laws import plans, speeches
from tests.messages.office import documented, scene
from tests.understanding.commands_kit import OFFICE, PLAN

NOW = "2024-01-30 09:12"


def context(room: Room, when: str = NOW) -> Context:
    now = room.context("an", when)
    files = Files(plans=tuple(room.plans), people=tuple(PEOPLE.values()), scheduler=now.scheduler)
    return Context(
        office=Office(files, events=tuple(now.events), known=known_channels()), at=now.now
    )


def shown(room: Room, said: Iterable[str], when: str = NOW) -> list[str]:
    """The answer to the last of `said` (“an: xong 1c”), line by line."""
    answer: Outbound | None = None
    for each in said:
        who, _, text = each.partition(": ")
        payload = room.say(who, when, text).answers[0]
        answer = render(context(room, when), payload)
    assert answer is not None
    return answer.text.splitlines()


def test_a_task_says_where_its_date_comes_from() -> None:
    """Its place in the document and how “trước ngày” is read; the event that a date waits for."""
    card = TaskDetails(tasks=((PLAN.id, "1c"), (PLAN.id, "2g"), (PLAN.id, "1a")))
    message = render(scene("2024-01-30", plans=(documented(),)), card)
    assert message is not None
    assert message.text.splitlines() == [
        "1c Danh mục VBQPPL hết hiệu lực năm 2023 – Tư pháp chủ trì",
        "Nguyên văn: Rà soát, công bố danh mục văn bản hết hiệu lực",
        "• Quyết định công bố Danh mục – hôm nay là hạn",
        (
            "Kế hoạch ghi “Chậm nhất 31/01/2024” (mục 1.c, bảng 1, dòng 7, KH-2024.docx); hạn tính "
            "đến hết ngày liền trước"
        ),
        "2g Số hóa hồ sơ, kết quả giải quyết TTHC – Tư pháp chủ trì",
        "• Báo cáo kết quả và tỷ lệ số hóa – chưa có hạn: trong 05 ngày làm việc kể từ khi nhận",
        "Có ngày của sự kiện, Văn phòng nhắn: /sukien 2g 30/01 số văn bản",
        "Kế hoạch ghi “Theo quy định và hướng dẫn cấp trên” (KH-2024.docx)",
        "1a Nâng cao chất lượng soạn thảo, thẩm định VBQPPL – Tư pháp chủ trì",
        (
            "• VBQPPL ban hành đúng thẩm quyền, trình tự, quý I – hạn dự kiến Chủ Nhật 10/3, còn "
            "40 ngày (23 ngày làm việc), 02 lần mỗi quý"
        ),
        "Kế hoạch ghi “Thường xuyên trong năm” (KH-2024.docx)",
        "Ai báo gì, khi nào, xin nhắn: lịch sử 1c · lịch sử 2g · lịch sử 1a",
    ]


CASES = [
    (
        ["an: xong 1c"],
        [
            (
                "✅ Đã ghi 1c Danh mục VBQPPL hết hiệu lực năm 2023: xong lúc 09:12 hôm nay, "
                "trước hạn 1 ngày. Người báo: An."
            ),
            "Có số văn bản xin nhắn: 1c số …/… ngày 30/01",
            (
                "Tư pháp còn 2c, hạn Thứ Tư 31/01; 1d báo cáo, hạn Thứ Ba 20/02; 1d quyết định, "
                "hạn Thứ Sáu 01/3 và 6 việc nữa: /viec"
            ),
            "Ghi nhầm thì trong 1 giờ xin nhắn: hoàn tác 1c",
        ],
    ),
    (
        ["an: xong 1c số 12/QĐ", "dung: 1c số 13/QĐ-UBND"],
        [
            (
                "Đã ghi văn bản của 1c Danh mục VBQPPL hết hiệu lực năm 2023: số 13/QĐ-UBND, "
                "thay cho số 12/QĐ."
            ),
        ],
    ),
    (
        ["cuc: xong 1d"],
        [
            (
                "1d Báo cáo hệ thống hóa VBQPPL 2019–2023 do Tư pháp và Văn phòng chủ trì nên "
                "anh/chị chưa báo xong được. Nhờ Tư pháp hoặc Văn phòng báo xong giúp."
            ),
        ],
    ),
    *(
        (
            [f"cuc: {typed}"],
            [
                (
                    "1c Danh mục VBQPPL hết hiệu lực năm 2023 do Tư pháp chủ trì nên anh/chị "
                    f"chưa {act} được. Nhờ {helpers} {act} giúp."
                ),
            ],
        )
        for typed, act, helpers in (
            ("chưa xong 1c", "báo tình hình", "Tư pháp hoặc Văn phòng"),
            ("trình ký 1c", "báo trình ký", "Tư pháp hoặc Văn phòng"),
            ("/ghichu 1c vướng", "ghi chú", "Tư pháp hoặc Văn phòng"),
            ("nhắc sau 1c 1", "hoãn nhắc", "Tư pháp"),
            ("gia hạn 1c 05/02 x", "xin gia hạn", "Tư pháp"),
        )
    ),
    (
        ["cuc: 1a 03 văn bản"],
        [
            (
                "1a Nâng cao chất lượng soạn thảo, thẩm định VBQPPL quý I do Tư pháp chủ trì nên "
                "anh/chị chưa cập nhật được. Nhờ Tư pháp hoặc Văn phòng cập nhật giúp."
            ),
        ],
    ),
    (
        ["an: 1a 03 văn bản", "dung: 1a thêm 01 văn bản"],
        [
            (
                "Đã ghi thêm vào 1a Nâng cao chất lượng soạn thảo, thẩm định VBQPPL quý I: "
                "thêm 01 văn bản"
            ),
        ],
    ),
    (
        ["an: nhắc sau 1c 9"],
        [
            (
                "Đã ghi: sẽ nhắc lại 1c Danh mục VBQPPL hết hiệu lực năm 2023 vào Thứ Tư 31/01, "
                "vì không hoãn quá hạn (hạn Thứ Tư 31/01)."
            ),
        ],
    ),
    (
        ["an: nhắc sau 2g 3"],
        [
            (
                "2g Số hóa hồ sơ, kết quả giải quyết TTHC chưa có hạn nên máy chưa nhắc; "
                "không cần hoãn."
            ),
        ],
    ),
    (
        ["an: gia hạn 1c 05/02 chờ số liệu"],
        [
            (
                "Đã chuyển Văn phòng: xin gia hạn 1c Danh mục VBQPPL hết hiệu lực năm 2023 "
                "đến Thứ Hai 05/02."
            ),
            "Máy vẫn nhắc như lịch cho đến khi Văn phòng quyết (hạn Thứ Tư 31/01, còn 1 ngày).",
            "Muốn rút lại, xin nhắn: hoàn tác 1c",
        ],
    ),
    (
        ["an: gia hạn 1c 05/02 x", "binh: /dongy 1c", "hoa: /khongdongy 1c"],
        [
            (
                "Không ghi thêm. 1c Danh mục VBQPPL hết hiệu lực năm 2023 đã được đồng ý gia hạn "
                "lúc 09:12 hôm nay, người ghi: Binh. "
                "Hạn Thứ Hai 05/02, còn 6 ngày (4 ngày làm việc)."
            ),
        ],
    ),
    (
        ["binh: gia hạn 5c 05/4 chờ thành phố"],
        [
            (
                "Việc xin gia hạn do Văn phòng quyết. Anh/chị đặt hạn 5c Kế hoạch chuyển đổi số "
                "năm 2024 là 05/4 phải không?"
            ),
            "Chưa ghi gì. Xin nhắn: đúng · không",
        ],
    ),
    (
        ["binh: /dathan 4b 10/02 chờ HĐND"],
        [
            (
                "Văn phòng đặt hạn 4b Dự toán ngân sách nhà nước năm 2024: hạn Thứ Bảy 10/02 "
                "(trước là Thứ Tư 31/01)."
            ),
            "Lý do: chờ HĐND.",
            (
                "Thứ Bảy 10/02 là ngày nghỉ: xong trước hết Thứ Tư 07/02 là tốt; "
                "quá Thứ Năm 15/02 mới là quá hạn."
            ),
        ],
    ),
    (
        ["an: /dathan 1c 10/02"],
        [
            "Chưa ghi gì: chỉ Văn phòng đặt hạn được.",
            "Xin nhắn: gia hạn 1c 15/3 kèm lý do",
        ],
    ),
    (
        ["an: xong 1c", "an: hoàn tác 1c"],
        [
            (
                "Đã hoàn tác 1c Danh mục VBQPPL hết hiệu lực năm 2023: lại để mở, chưa xong "
                "(hạn Thứ Tư 31/01)."
            ),
        ],
    ),
    (
        ["cuc: /viec"],
        [
            "Thứ Ba 30/01, TCKT có 2 việc đang mở:",
            "• 4b Dự toán ngân sách nhà nước năm 2024 – hạn dự kiến Thứ Tư 31/01, còn 1 ngày",
            (
                "• 4a Tự chủ tài chính đơn vị sự nghiệp – hạn Thứ Ba 31/12, "
                "còn 336 ngày (230 ngày làm việc)"
            ),
        ],
    ),
    (
        ["cuc: /han 1c"],
        [
            "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – Tư pháp, hạn Thứ Tư 31/01, còn 1 ngày",
        ],
    ),
    (
        ["an: xong 1d báo cáo số 05/BC", "an: /ghichu 1d chờ ký", "an: /viec 1d"],
        [
            "1d Hệ thống hóa VBQPPL kỳ 2019–2023 – Tư pháp, Văn phòng chủ trì",
            (
                "• Báo cáo hệ thống hóa VBQPPL 2019–2023 – đã xong 09:12 hôm nay, "
                "báo cáo số 05/BC, người báo: An"
            ),
            (
                "• Quyết định công bố kết quả hệ thống hóa VBQPPL – hạn Thứ Sáu 01/3, "
                "còn 31 ngày (18 ngày làm việc)"
            ),
            "Ghi chú: chờ ký – An",
            "Ai báo gì, khi nào, xin nhắn: lịch sử 1d",
        ],
    ),
    (
        ["an: xong 2c", "an: hoàn tác 2c", "binh: /lichsu 2c"],
        [
            "Lịch sử 2c Kết quả đánh giá chất lượng phục vụ:",
            "09:12 hôm nay, An (phần của Tư pháp) qua Telegram: báo xong tháng 01",
            "09:12 hôm nay, An (phần của Tư pháp) qua Telegram: hoàn tác tháng 01",
        ],
    ),
    (
        ["an: 1a-1c xong"],
        [
            "Chưa ghi gì. Khoảng mã ấy gồm 2 việc đang mở của anh/chị:",
            (
                "• 1a Nâng cao chất lượng soạn thảo, thẩm định VBQPPL quý I – hạn dự kiến "
                "Chủ Nhật 10/3, còn 40 ngày (23 ngày làm việc)"
            ),
            "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – hạn Thứ Tư 31/01, còn 1 ngày",
            "Đúng như thế xin nhắn: xong 1a, 1c",
        ],
    ),
    (
        ["an: trình ký 1d"],
        [
            "Chưa ghi gì. 1d có 2 phần, anh/chị nói về phần nào?",
            "• 1d báo cáo Báo cáo hệ thống hóa VBQPPL 2019–2023 – hạn Thứ Ba 20/02",
            "• 1d quyết định Quyết định công bố kết quả hệ thống hóa VBQPPL – hạn Thứ Sáu 01/3",
            "Xin nhắn: trình ký 1d báo cáo · trình ký 1d quyết định",
        ],
    ),
    (
        ["an: xong 1c, 4b"],
        [
            (
                "✅ Đã ghi 1c Danh mục VBQPPL hết hiệu lực năm 2023: xong lúc 09:12 hôm nay, "
                "trước hạn 1 ngày. Người báo: An."
            ),
            "Có số văn bản xin nhắn: 1c số …/… ngày 30/01",
            (
                "Tư pháp còn 2c, hạn Thứ Tư 31/01; 1d báo cáo, hạn Thứ Ba 20/02; 1d quyết định, "
                "hạn Thứ Sáu 01/3 và 6 việc nữa: /viec"
            ),
            "Ghi nhầm thì trong 1 giờ xin nhắn: hoàn tác 1c",
            "",
            (
                "4b Dự toán ngân sách nhà nước năm 2024 do TCKT chủ trì nên anh/chị chưa báo xong "
                "được. Nhờ TCKT hoặc Văn phòng báo xong giúp."
            ),
        ],
    ),
    (
        ["an: /tonghop"],
        [
            (
                "Lệnh /tonghop dành cho Văn phòng và Lãnh đạo. "
                "Anh/chị muốn xem việc của bộ phận mình?"
            ),
            "Xin nhắn: /viec",
        ],
    ),
]


@pytest.mark.parametrize(("said", "lines"), CASES)
def test_an_answer_as_it_is_read(said: list[str], lines: list[str]) -> None:
    """In words that people read: task and title, weekday and day, what to type."""
    assert shown(Room(), said) == lines


def test_an_occurrence_not_open_yet_is_named_with_its_period() -> None:
    """And what it says to type closes just that one."""
    room, day = Room(next_plan()), "2024-12-30 09:00"
    early = shown(room, ["an: xong 2c"], day)
    assert early == [
        (
            "Chưa ghi gì. 2c Kết quả đánh giá chất lượng phục vụ tháng 01 mở từ Thứ Tư 01/01/2025. "
            "Đã xong sớm thì xin nhắn rõ kỳ:"
        ),
        "Xin nhắn: xong 2c tháng 01",
    ]
    events = room.say("an", day, "xong 2c tháng 01").events
    assert [event.key.period for event in events] == ["2025-01"]


@settings(max_examples=examples(30), deadline=None)
@given(speeches, plans)
def test_every_view_of_every_decision_is_rendered(
    said: list[tuple[str, str, str]], of: tuple[Plan, ...]
) -> None:
    """At once, and later when all may have changed: words without seams, buttons that fit."""
    room = Room(*of)
    payloads: list[Payload] = []
    for who, when, text in said:
        made = room.say(who, when, text)
        payloads += (*made.answers, *(notice.payload for notice in made.notices))
        whole(render(context(room, when), made.answers[0]), made.answers[0])
    later = context(room, "2024-12-31 17:00")
    for payload in payloads:
        message = render(later, payload)
        if message is not None:
            whole(message, payload)


def whole(message: Outbound | None, payload: Payload) -> None:
    """A message that says something, and in one piece."""
    assert message is not None, payload
    assert message.text.strip()
    assert "  " not in message.text
    assert " ." not in message.text.replace(" …", "")
    assert all(0 < len(a.data.encode()) <= 64 for row in message.actions for a in row)


def test_what_no_plan_has_any_more_is_skipped() -> None:
    """A view that waited while its task was struck from the plan: nothing to say, no crash."""
    gone = Key("cchc-2020", "9z", 1, "2020")
    room = Room()
    event = replace(room.say("an", NOW, "xong 1c").events[0], key=gone)
    task = (("cchc-2020", "9z"),)
    payloads: list[Payload] = [
        Done(events=(event,), unit="tu-phap"),
        Updated(events=(event,), units=("tu-phap",)),
        Evidence(event=event),
        StatusAsked(key=gone),
        Refused(reason="snooze-late", key=gone),
        ClosedNotice(keys=(gone,), leaders=True),
        ExtensionAsked(key=gone),
        TaskDetails(tasks=task),
        History(tasks=task, events=(event,), befores=(None,)),
        Several(parts=(StatusAsked(key=gone),)),
    ]
    for payload in payloads:
        assert render(context(room), payload) is None, payload


def test_a_request_that_was_decided_is_not_asked_again() -> None:
    """A row that waited for the office while a colleague decided says nothing."""
    room = Room()
    asked = room.say("an", NOW, "gia hạn 1c 05/02 x").notices[0].payload
    assert render(context(room), asked) is not None
    room.say("binh", NOW, "/dongy 1c")
    assert render(context(room), asked) is None


def test_a_long_list_stays_within_what_telegram_takes() -> None:
    """All the plan's open work in November: bounded, and counted."""
    room = Room(PLAN, next_plan())
    payload = room.say("chu", "2024-11-29 09:00", "/viec").answers[0]
    message = render(context(room), payload)
    assert message is not None
    assert len(message.html) <= 4096
    assert message.text.splitlines()[-1].startswith("và ")


def test_the_forms_that_a_question_offers_are_understood() -> None:
    """Each is a command on exactly one part."""
    room = Room()
    answer = room.say("binh", NOW, "/dathan 1d 05/3 chờ")
    message = render(context(room), answer.answers[0])
    assert message is not None
    forms = message.text.splitlines()[-1].removeprefix("Xin nhắn: ").split(" · ")
    found = [parse(form, context(room).today, OFFICE) for form in forms]
    assert all(isinstance(command, Command) for command in found)
    numbers = [c.targets[0].deliverables for c in found if isinstance(c, Command)]
    assert numbers == [(1,), (2,)]


def test_a_day_of_a_weekly_task_is_named_once() -> None:
    """“3b ngày 12/01 Giao ban tuần”, not “… Giao ban tuần ngày 12/01” besides."""
    [task] = [task for task in PLAN.tasks if task.code == "3"]
    weekly = replace(
        task.deliverables[0],
        rule=Recurrence("FREQ=WEEKLY;BYDAY=FR;UNTIL=20240131"),
        kind=Kind.PRODUCT,
        assumed=False,
    )
    meeting = replace(
        task, code="3b", title="Giao ban tuần", lead=("tu-phap",), deliverables=(weekly,)
    )
    room = Room(replace(PLAN, tasks=(meeting,)))
    lines = shown(room, ["an: /tasks"], "2024-01-30 09:12")
    assert [line.split(" – ")[0].lstrip("• ") for line in lines if "Giao ban" in line] == [
        "3b ngày 05/01 Giao ban tuần",
        "3b ngày 12/01 Giao ban tuần",
        "3b ngày 19/01 Giao ban tuần",
        "3b ngày 26/01 Giao ban tuần",
    ]
