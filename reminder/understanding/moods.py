"""What a phrase says about work: done, not done, a plan, a question, read …

The words are those of the office (“Words” in the facts); all with their marks, since the tables
understand them without. What is *not* done wins over done: see `verdict`.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from reminder.domain.text import Phrases


class Mood(StrEnum):
    """What one phrase says."""

    DONE = "done"
    ISSUED = "issued"  # done, and stronger than “đã trình ký”
    DID = "did"  # “đã làm”: done if nothing else is said
    JUST = "just"  # “rồi”: done only as a reply
    NOT = "not"  # chưa, không
    YET = "yet"  # a bare “chưa”, which after a done phrase is a question
    PARTIAL = "partial"
    PLAN = "plan"
    SOON = "soon"  # an hour still to come, unless “đã” says that it has gone by
    PAST = "past"  # đã, vừa
    ASK = "ask"
    SUBMITTED = "submitted"
    UNSIGNED = "unsigned"  # “chưa ký”: not done, or, after “đã trình”, awaiting signature
    RETURNED = "returned"
    UNDO = "undo"
    EXTEND = "extend"
    SNOOZE = "snooze"
    DOING = "doing"
    STANDING = "standing"  # “vẫn làm thường xuyên”: an answer to a check-in
    NO_NEWS = "no-news"  # “không có gì phát sinh”: the same
    SEEN = "seen"
    AGREED = "agreed"  # “đồng ý”: the office's word, from others it is “đã rõ”


_PHRASES: dict[Mood, str] = {
    Mood.DONE: """
        xong; xong rồi; đã xong; xong xuôi; xog; song rồi; đã song; xong r; xong rùi;
        hoàn thành; đã hoàn thành; hoàn thành rồi; hoàn tất; đã hoàn tất; done; đã gửi; gửi rồi;
        đã gởi; gởi rồi; đã nộp; nộp rồi; đã báo cáo; báo cáo rồi; đã bc; đã làm xong;
        đã thực hiện xong; báo xong; nộp xong; 100 %; xong 100 %; ✅; ✔; ☑; ✓
    """,
    Mood.ISSUED: """
        đã ban hành; ban hành rồi; ban hành xong; đã ký; đã ký ban hành; ký rồi; đã ký rồi;
        ký xong; đã được ký; đã phát hành; phát hành rồi; đã được ban hành
    """,
    Mood.DID: "đã làm; làm rồi; đã thực hiện; thực hiện rồi; đã triển khai",
    Mood.JUST: "rồi; rùi; =r",
    Mood.NOT: """
        sao được; sao mà; xong đâu; đâu đã; đâu có; đâu xong; =đâu; làm gì đã; làm gì có;
        ai bảo; ai nói; khó; khó mà; không; =ko; ko; hok; =k; khum; chẳng; không kịp;
        không xong; không được; chưa xong; chưa hoàn thành; chưa ban hành; chưa làm; chưa có;
        chưa được; chưa gửi; chưa nộp; chưa trình; chưa trình ký; chưa báo cáo; chưa kịp;
        chưa thể; vẫn chưa; hiện chưa; chx; =hoãn; tạm hoãn; =hủy; =huỷ; vướng; vướng mắc;
        thất lạc; bị lỗi; kẹt; =trễ; bị trễ; chậm; quá hạn; tạm dừng; not; =hông;
        không phải; ko phải; k phải; hok phải; hông phải; chẳng phải; chứ không phải;
        chứ ko phải; chứ k phải; chứ hông phải; chớ không phải; chứ không; chứ ko; chứ chưa xong;
        chứ chưa làm; chứ chưa nộp; chứ chưa gửi
    """,
    Mood.YET: "chưa; chứ chưa",
    Mood.PARTIAL: """
        %; phần trăm; gần; gần như; sắp; sắp xong; gần xong; cơ bản; cơ bản xong; tương đối;
        hầu như; hầu hết; một phần; 1 phần; một nửa; 1 nửa; phân nửa; nửa; một ít; phần nào;
        phần lớn; phần đầu; một số; bước đầu; đợt 1; đợt đầu; dự thảo; bản nháp; bản thảo; nháp;
        khung; đề cương; lấy ý kiến; xin ý kiến; góp ý; chờ; đang chờ; chờ duyệt; =đợi;
        đang đợi; còn thiếu; thiếu; trừ; ngoại trừ; chỉnh sửa; sửa lại; bổ sung; coi như;
        xem như; almost; nearly; một vài; vài; tạm xong; dở dang
    """,
    Mood.PLAN: """
        thì mới; nữa; sẽ; để em; để tôi; để anh; để chị; để mình; để mai; để xem; =cố; cố gắng;
        phấn đấu; dự kiến; hẹn; hứa; lát nữa; lát; tí nữa; chút nữa; ít nữa; mai mốt; hôm sau;
        ngày nữa; hôm nữa; tuần nữa; tuần sau; tuần tới; tháng sau; tháng tới; nếu; khi xong;
        khi nào xong; lúc nào xong; chừng nào; xong thì; xong là; xong sẽ; xong em báo;
        xong tôi báo; xong mình báo; báo anh; báo chị; xong thì báo; báo lại; báo sau; rồi báo;
        rồi em báo; rồi tôi báo; rồi gửi; rồi nộp; thì báo; phải; cần; hãy; nhớ; yêu cầu;
        đề nghị; nhờ; muốn; đang định; em định; tôi định; chắc; có lẽ; có thể; hình như;
        hy vọng; hi vọng; mong; tưởng; giả sử; chuẩn bị; tranh thủ; =ráng; soon; will
    """,
    Mood.SOON: """
        chiều nay; tối nay; trưa nay; đêm nay; trong tuần; trong tháng; cuối giờ; cuối buổi;
        cuối ngày; trong ngày; nay mai
    """,
    Mood.PAST: "=đã; =vừa; vừa mới; mới vừa; sáng nay",
    Mood.ASK: """
        ?; xong chưa; rồi chưa; hay chưa; được chưa; chưa nhỉ; chưa vậy; chưa thế; có chưa;
        bao giờ; khi nào; lúc nào; thế nào; ra sao; sao rồi; thế nào rồi; đến đâu rồi;
        tới đâu rồi; đến đâu; tới đâu; phải không; đúng không; được không; không ạ; không nhỉ;
        có phải; là gì; ai làm; =nhỉ; =hả; =hở; đã xong chưa; hoàn thành chưa; xong hay chưa;
        có xong không; xong không; mấy giờ; ngày nào;
        =à; hử; =hỉ; =ai; cho ai; ai vậy; ai đã; hồi nào; bữa nào; chỗ nào; ở đâu; đâu vậy;
        đâu thế; nộp đâu; gửi đâu; ra đâu; cái gì vậy; gì vậy; gì thế; việc gì vậy; là việc gì;
        bao nhiêu; vì sao; tại sao; sao vậy; sao thế; xong hông; rồi hông; được hông; đúng hông;
        phải hông; kịp hông; xong hem; rồi hem; xong rồi sao; xong sao; ko ạ; ko nhỉ;
        đúng ko; phải ko; đúng k; phải k; thật hông; thiệt hông; cái nào; việc nào;
        bản nào; hôm nào; đợt nào
    """,
    Mood.SUBMITTED: """
        trình ký; đã trình ký; đang trình ký; chờ ký; đang chờ ký; chờ chữ ký; đang chờ chữ ký;
        đã trình; trình rồi; đang trình; trình xong; đã trình xong; chờ lãnh đạo ký;
        chờ chủ tịch ký; chờ sếp ký; chờ anh ký; chờ chị ký; chờ lãnh đạo phường ký;
        trình lãnh đạo ký; trình chủ tịch ký; chờ ký ban hành; đang chờ lãnh đạo ký;
        đang chờ chủ tịch ký; trình ký xong; đã trình ký xong; trình ký rồi; đợi ký;
        đang đợi ký; đợi lãnh đạo ký; đợi chủ tịch ký
    """,
    Mood.UNSIGNED: """
        chưa ký; chưa được ký; chưa có chữ ký; chưa ký duyệt; chưa duyệt; chưa thấy ký
    """,
    Mood.RETURNED: """
        trả lại; bị trả lại; trả về; bị trả về; không ký; không được ký; không duyệt;
        không được duyệt; trình lại; ký không được
    """,
    Mood.UNDO: """
        hoàn tác; hoantac; báo nhầm; nhắn nhầm; bấm nhầm; ghi nhầm; gửi nhầm; nhầm; nhầm rồi;
        à nhầm; =lộn; báo lộn; rút lại; undo; bỏ xong; hủy xong; huỷ xong; xóa xong; xoá xong
    """,
    Mood.EXTEND: """
        gia hạn; xin gia hạn; giahan; lùi; lùi đến; lùi hạn; lùi lại; xin lùi; xin lùi hạn;
        xin thêm; cho thêm; thêm thời gian; cần thêm thời gian; xin thêm thời gian; thêm hạn;
        =dời; dời hạn; dời đến; xin dời; xin hoãn; hoãn đến; kéo dài; nới hạn; extend; cần thêm;
        thêm ngày
    """,
    Mood.SNOOZE: """
        nhắc em; nhắc tôi; nhắc mình; nhắc e; nhắc sau; nhacsau; nhắc lại sau; nhắc em sau;
        nhắc tôi sau; nhắc anh sau; nhắc chị sau; tạm hoãn nhắc; nhắc lại; đừng nhắc;
        tạm ngừng nhắc; snooze
    """,
    Mood.DOING: """
        đang; đang làm; đang thực hiện; đang triển khai; đang xử lý; đang soạn; đang tổng hợp;
        đang hoàn thiện; đang hoàn thành; đang tiến hành; vẫn đang; vẫn đang làm; tiếp tục làm;
        đang tiếp tục; làm dở
    """,
    Mood.STANDING: """
        thường xuyên; vẫn làm thường xuyên; làm thường xuyên; vẫn làm; vẫn thực hiện;
        bình thường; vẫn bình thường; vẫn duy trì; duy trì; vẫn thực hiện thường xuyên;
        đang thực hiện thường xuyên; đang làm thường xuyên; vẫn đang làm thường xuyên;
        vẫn thường xuyên; ổn định; vẫn ổn; vẫn tốt; đang duy trì; đang thực hiện bình thường;
        vẫn đang thực hiện thường xuyên; như thường lệ
    """,
    Mood.NO_NEWS: """
        không phát sinh; chưa phát sinh; không có phát sinh; chưa có phát sinh;
        không có gì phát sinh; chưa có gì phát sinh; không phát sinh gì; không có gì mới;
        chưa có gì mới; không có gì; ko phát sinh; ko có gì phát sinh; k phát sinh;
        k có gì phát sinh; không có việc phát sinh; không có thay đổi; không thay đổi;
        ko có gì mới; không phát sinh mới
    """,
    Mood.SEEN: """
        đúng rồi; đúng; phải rồi; ok; oke; okie; oki; okey; okê; okay; ô kê; vâng; vâng ạ;
        dạ vâng; =ừ; =uh; =uhm; =ừm; đã nhận; đã nhận được; nhận được; đã nhận tin;
        đã nhận thông tin; đã rõ; rõ; rõ rồi; đã biết; biết rồi; đã xem; đã đọc; em nhận rồi;
        nhận rồi; cảm ơn; cám ơn; thanks; thank; tks; noted; nhất trí; đã hiểu; hiểu rồi; 👍; 👌;
        🙏; ❤; đã nắm; nắm rồi; đã tiếp thu; tiếp thu; roger; yes; dạ được; được rồi
    """,
    Mood.AGREED: "đồng ý; dongy; đồng ý ạ",
}

# Phrases with words of the table above that say nothing about done or not.
_NEUTRAL = """
    không có vướng mắc; không vướng mắc; không vướng mắc gì; không có vướng mắc gì;
    không vướng gì; không có gì vướng; không có khó khăn; không khó khăn; không khó khăn gì;
    không giấy tờ; không dấu; quyết định; nghị định; kế hoạch; quy định; thẩm định; định kỳ;
    cần thiết; cán bộ; căn cứ; chắc chắn; phải chăng; hết hiệu lực; đúng hạn; trước hạn;
    rồi báo cáo; xong rồi báo cáo; gửi cho; trình độ; cần thơ; không gian; sai phạm; sai sót;
    =cho; kiến nghị; chủ tịch; bộ phận; chậm nhất; không quá hạn; không trễ; không trễ hạn;
    không chậm; một cửa; tiếp nhận; đề nghị thẩm định; lo lắng; số hóa; lãnh đạo; chương trình;
    quá trình; quy trình; tờ trình; trình tự; hành trình; nhắc nhở; phần mềm; thành phần;
    đã được; đã có; không còn; không còn gì; không còn gì nữa; chuyển đổi; hạn hoàn thành;
    bổ sung đầy đủ; không thiếu; không thiếu gì; không vấn đề gì; không có vấn đề gì;
    không có vấn đề; không sao; ai cũng; không ai; ai có; bắt buộc;
    ai cần; cho ai cần; ai muốn; bất cứ ai; bất kỳ ai; bất kể ai; cho bất cứ ai; cho bất kỳ ai;
    bao nhiêu cũng
"""


def _table() -> dict[str, Mood | None]:
    table: dict[str, Mood | None] = {}
    for mood, phrases in _PHRASES.items():
        for phrase in phrases.split(";"):
            words = phrase.split()
            table[" ".join(words)] = mood
            if words[-1] == "rồi":  # typed “r”
                table.setdefault(" ".join((*words[:-1], "r")).replace("=", ""), mood)
    for phrase in _NEUTRAL.split(";"):
        table.setdefault(" ".join(phrase.split()), None)
    return table


MOODS: Phrases[Mood | None] = Phrases(_table())

_CLOSING = frozenset({Mood.DONE, Mood.ISSUED})
_HINDERED = frozenset({Mood.NOT, Mood.YET, Mood.PARTIAL, Mood.PLAN})
_IN_ORDER = (
    Mood.ASK,
    Mood.EXTEND,
    Mood.SNOOZE,
    Mood.UNDO,
    Mood.RETURNED,
)


def verdict(moods: Collection[Mood], *, reply: bool, alone: bool) -> Mood | None:
    """What a clause says in all. Not done, partial, planned or asked always wins over done.

    `reply`: the text answers a message; `alone`: it says nothing but its moods.
    """
    said = set(moods)
    for mood in _IN_ORDER:
        if mood in said:
            return mood
    if Mood.SOON in said and Mood.PAST not in said:
        said.add(Mood.PLAN)
    if Mood.SUBMITTED in said:
        return _submitted(said)
    if said & _HINDERED or Mood.UNSIGNED in said:
        return Mood.NOT
    if Mood.STANDING in said or Mood.NO_NEWS in said:
        return Mood.STANDING
    if Mood.DOING in said:
        return Mood.DOING
    if (
        said & _CLOSING
        or (Mood.DID in said and alone)
        or (Mood.JUST in said and reply and alone and Mood.SEEN not in said)
    ):
        return Mood.DONE
    return next((mood for mood in (Mood.AGREED, Mood.SEEN) if mood in said), None)


def _submitted(said: set[Mood]) -> Mood:
    """“đã trình mà chưa ký” awaits it, “mai trình ký” does not yet, “đã ban hành” has it."""
    if said & (_HINDERED - {Mood.YET}):
        return Mood.NOT
    return Mood.DONE if Mood.ISSUED in said and Mood.UNSIGNED not in said else Mood.SUBMITTED
