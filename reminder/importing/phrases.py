"""The time phrases of office plans: what each means, and what a person has to confirm.

A phrase is classified first, and its days are read after that: “Đầu năm 2026”, “kể từ ngày …” and
“Nghị định 15/2026” have figures, but name no due day. What is not understood is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from reminder.domain.calendar import in_month, last_of_month
from reminder.domain.text import normal
from reminder.importing.cycles import (
    Bounds,
    Cycle,
    cycle_of,
    cycle_part,
    weekday_name,
    weekdays_of,
)
from reminder.importing.days import (
    DAY,
    SKIPPED,
    Chain,
    PlanYear,
    Span,
    chain_at,
    month_shift,
)
from reminder.importing.readings import Found, Kind, Part, Reading, Status
from reminder.importing.tokens import Token, Tokens, tokenise

LONGEST = 2_000  # characters of a phrase


def read(phrase: str, plan: PlanYear) -> Reading:
    """Return what `phrase` means in a plan."""
    if len(phrase) > LONGEST:
        part = Part(kind=Kind.NONE, status=Status.AWAITING)
        return Reading(parts=(part,), ask=True, why="đoạn này dài quá, không đọc được")
    return _Reader(tokenise(phrase), plan).read()


def find(text: str, plan: PlanYear) -> tuple[Found, ...]:
    """Return the time phrases inside the sentences of `text`, in order.

    The places are those of `text` in its normal form (NFC, without invisible characters). “Theo kế
    hoạch của …”, “theo quy định” and a year alone are no time phrase in a sentence.
    """
    found = []
    for offset, piece in _pieces(normal(text)):
        tokens = tokenise(piece)
        for start, end in _Reader(tokens, plan).places():
            reading = _Reader(tokenise(piece[start:end]), plan).read()
            found.append(Found(start=offset + start, end=offset + end, reading=reading))
    return tuple(found)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text at line ends or spaces, so that it is read in linear time."""
    start = 0
    while start < len(text):
        end = start + LONGEST
        if end < len(text):
            spaces = (text.rfind(space, start, end) for space in ("\n", " "))
            end = next((place for place in spaces if place > start), end)
        yield start, text[start:end]
        start = end


_FINENESS = {Kind.YEAR: 1, Kind.QUARTER: 2, Kind.MONTH: 3, Kind.DATE: 4, Kind.DATE_RANGE: 4}
_NAMES = {"thang": "month", "quy": "quarter", "nam": "year", "tuan": "week", "hoc ky": "term"}
_EDGES = {"dau": "start", "giua": "middle", "cuoi": "end", "trung tuan": "middle"}
_EDGES |= {"thuong tuan": "start", "ha tuan": "end", "nua dau": "middle", "nua cuoi": "end"}
_TITLES = frozenset(["data", "norm", "target", "sign", "feast_lead", "feast", "paper"])
_PROSE = frozenset(["chain", "each", "interval", "times", "month_of", "last_day", "weekday"])
_PROSE |= {"week", "ongoing", "round", "fuzzy", "offset"}
_TITLE_WORDS = SKIPPED | {"word", "open", "number", "figure", "dash", "bare_unit"}
_JOINS = SKIPPED | {"comma", "open", "close"}
_TIMES = _PROSE | {"external", "after", "ahead", "before", "by", "until", "from", "school"}
_TIMES |= {"feast", "sudden", "other", "regular"}

_Element = Token | Chain


class _Reader:
    """Reads the tokens of one text; collects what a person has to confirm."""

    def __init__(self, tokens: Tokens, plan: PlanYear) -> None:
        self._text = tokens.text
        self._tokens = tokens
        self._plan = plan
        self._whys: list[str] = []

    def read(self) -> Reading:
        parts: list[Part] = []
        for line in self._lines():
            for group in _groups(line):
                earlier, self._whys = self._whys, []
                new = self._group(group)
                if self._join(parts, new):
                    earlier += self._whys
                self._whys = earlier
        if len(parts) > 1:  # a remark without a time (“bằng văn bản”) adds nothing
            parts = [p for p in parts if p.kind is not Kind.NONE or p.fuzzy] or parts[:1]
        if not parts:
            self._ask("chỗ này không ghi thời gian đọc được")
            parts = [Part(kind=Kind.NONE, status=Status.AWAITING)]
        for day in (day for part in parts for day in (*part.due, part.start) if day):
            if not self._plan.year - 1 <= day.year <= self._plan.year + 6:
                self._ask(f"năm {day.year} cách xa năm của kế hoạch")
        mended = ", ".join(self._tokens.mended)
        if mended:
            self._ask(f"chữ đọc từ bản quét: “{mended}”")
        why = "; ".join(dict.fromkeys(self._whys))
        return Reading(parts=tuple(parts), ask=bool(why), why=why, mended=mended)

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the places of the time phrases in prose."""
        for line in self._lines():
            elements = self._without_titles(line)
            start = end = -1
            for place, element in enumerate(elements):
                if start >= 0 and _is_event(element) and elements[place - 1].kind == "offset":
                    # The event's words end with its clause.
                    stops = (e.start for e in elements[place:] if e.kind in ("comma", "close"))
                    end = next(stops, elements[-1].end)
                    yield start, end
                    start = -1
                elif element.start < end and start < 0:
                    continue
                elif start >= 0 and element.kind == "limit":
                    end = element.end
                elif _is_time(element):
                    start = element.start if start < 0 else start
                    end = element.end
                elif start >= 0 and (element.kind not in _JOINS or element.text == "."):
                    yield start, end
                    start = -1
            if start >= 0:
                yield start, end

    def _ask(self, *whys: str) -> None:
        self._whys += whys

    def _words(self, start: int, end: int) -> str:
        """Return the words of a stretch of the text, without the signs around them."""
        return " ".join(self._text[start:end].split()).strip(' ,.;:-–()[]+•*"“”')

    def _lines(self) -> Iterator[list[_Element]]:
        for is_break, tokens in groupby(self._tokens.tokens, lambda t: t.kind == "break"):
            if not is_break:
                line = list(tokens)
                yield self._elements(line[2:] if _is_numbered(line) else line)

    def _elements(self, tokens: Sequence[Token]) -> list[_Element]:
        found: list[_Element] = []
        at = 0
        while at < len(tokens):
            chain, behind = chain_at(tokens, at, self._plan)
            found.append(chain or tokens[at])
            at = behind if chain else at + 1
        return found

    # --- one thing and its time

    def _group(self, group: Sequence[_Element]) -> list[Part]:
        if any(element.kind == "blank" for element in group):
            self._ask("chỗ để trống, chưa điền")
            return [Part(kind=Kind.NONE, status=Status.AWAITING)]
        elements = _without_label(self._without_titles(group))
        told = _told(elements)
        shown = elements[:told]
        # “Trong 15 ngày kể từ …, nhưng không muộn hơn 15/4”: the day counts.
        bounds = [e for e in elements[len(shown) :] if isinstance(e, Chain) and e.op and e.is_named]
        chains = [e for e in shown if isinstance(e, Chain)] + bounds
        self._check_rest(shown)
        others = [e for e in elements[len(shown) :] if isinstance(e, Chain) and not e.op]
        if not all(map(_is_title, others)):
            self._ask("ngày ấy là của việc khác")
        if any(e.kind == "lunar" for e in elements):
            self._ask("ngày âm lịch")
            name = self._words(elements[0].start, elements[-1].end)
            op = "before" if name.casefold().startswith("trước") else ""
            return [Part(kind=Kind.EVENT, status=Status.ASSUMED, event=name, op=op)]
        for chain in chains:
            self._ask(*chain.whys)
        parts = self._times(elements, shown, chains, told, bounded=bool(bounds))
        if parts[0].due and _names_feast(shown):
            self._ask("ngày ấy có thể chỉ là ngày lễ")
        if label := self._label(shown):
            parts = [part if part.label else replace(part, label=label) for part in parts]
        return self._open_ended(parts) if any(e.kind == "other" for e in group) else parts

    def _times(
        self,
        elements: Sequence[_Element],
        shown: Sequence[_Element],
        chains: Sequence[Chain],
        told: int | None,
        *,
        bounded: bool,
    ) -> list[Part]:
        parts = self._periodic(shown, chains)
        standing = any(e.kind in ("ongoing", "round") for e in shown)
        if standing and not any(part.kind is Kind.ONGOING for part in parts):
            parts = [self._standing(shown, [] if parts else chains), *parts]
        elif not standing and not parts:
            parts = self._dated(chains, shown)
        event = self._event(elements, told)
        if event and not parts:
            return [event]
        if event and standing:
            return [*parts, event] if event.offset is not None else parts
        if event and not bounded:
            self._ask("vừa ghi ngày, vừa ghi theo sự kiện")
        return parts or self._vague(elements)

    def _open_ended(self, parts: Sequence[Part]) -> list[Part]:
        self._ask("“các năm tiếp theo”: việc làm mỗi năm, hay một lần?")
        return [
            replace(part, kind=Kind.ONGOING, status=Status.CHECK_IN, due=(), op="", open_end=True)
            if part.kind is Kind.YEAR
            else replace(part, open_end=True)
            for part in parts
        ]

    def _without_titles(self, group: Sequence[_Element]) -> list[_Element]:
        """Leave out the figures of papers, feasts, targets and data: they are no due days."""
        kept: list[_Element] = []
        title = ""
        for element in group:
            bounds = isinstance(element, Chain) and element.op and not element.is_end
            if title == "data" and element.kind != "close" and not bounds:
                continue
            if element.kind in _TITLES and isinstance(element, Token):
                title = element.kind
                if title == "data":
                    self._ask("khoảng số liệu, không phải hạn")
                kept.append(element if title == "feast" else replace(element, kind="named"))
            elif title and isinstance(element, Chain) and _is_named_by(title, element):
                self._ask("mốc ấy là của mục tiêu hoặc ngày lễ, không phải hạn")
                title = ""
            else:
                if element.kind not in _TITLE_WORDS:
                    title = ""
                kept.append(element)
        return kept

    def _check_rest(self, shown: Sequence[_Element]) -> None:
        """Ask where figures or words of time are left that no rule took."""
        for place, element in enumerate(shown):
            before = shown[place - 1].kind if place else ""
            behind = shown[place + 1].kind if place + 1 < len(shown) else ""
            words = self._words(element.start, element.end)
            if element.kind in ("number", "figure", "slashed", "date"):
                if "word" not in (before, behind):
                    self._ask(f"số “{words}” chưa rõ nghĩa")
            elif (
                element.kind == "bare_unit" and behind != "colon" and not _is_heading(shown, place)
            ):
                self._ask(f"“{words}” chưa rõ là kỳ nào")
            elif element.kind in ("hedge", "limit"):
                self._ask(f"“{words}”")

    def _label(self, shown: Sequence[_Element]) -> str:
        """Return the words before the first time, else those after the last."""
        offset = _offset(shown)
        times = [e for e in shown if e.kind in _TIMES and (e.kind != "offset" or e is offset)]
        if not times:
            return ""
        before = [e for e in shown if e.end <= times[0].start]
        behind = [e for e in shown if e.start >= times[-1].end]
        for words in (before, behind):
            if any(e.kind in ("word", "report", "bare_unit", "offset") for e in words):
                return self._words(words[0].start, words[-1].end)
        return ""

    def _join(self, parts: list[Part], new: Sequence[Part]) -> bool:
        """Add `new`, or return False if it says nothing more.

        A remark without a label that says more exactly when in a period replaces the period.
        """
        last = parts[-1] if parts else None
        remark = last and last.status is Status.PERIOD and not last.label
        if remark and not any(part.label for part in new):
            if new[0].times and not new[0].due:
                return False  # “02 lần” beside named quarters
            if new[0].kind in (Kind.DATE, Kind.DATE_RANGE):
                days = [day for part in new for day in part.due]
                spans = [(p.start, p.due[-1]) for p in parts if p.start and p.due]
                if len(new) == 1 and all(a <= d + DAY and d <= b for d in days for a, b in spans):
                    parts.clear()
                else:
                    self._ask("hai thời gian khác nhau")
            elif new[0].kind in (Kind.PERIODIC, Kind.ONGOING):
                parts.clear()
        elif remark and len(parts) == 1 and new[0].kind in (Kind.DATE, Kind.DATE_RANGE):
            self._ask("hai thời gian khác nhau")
        parts.extend(new)
        return True

    # --- days and periods

    def _dated(self, chains: Sequence[Chain], shown: Sequence[_Element]) -> list[Part]:
        offset = _offset(shown)
        if offset and len(chains) == 1 and (chains[0].opens or chains[0].op == "before"):
            return [self._computed(chains[0], offset)]
        if offset and chains and not any(chain.is_dated for chain in chains):
            self._ask("khoảng thời gian chưa rõ tính từ đâu")
        if any(e.kind == "week" for e in shown) and not any(c.is_dated for c in chains):
            return []
        named = [c for c in chains if c.is_named]
        if len(named) == 2 and named[0].opens and named[1].op and named[0].spans and named[1].spans:
            first, last = named[0].spans[0].first, named[1].spans[-1].last
            if first <= last:  # “từ tháng 3, hoàn thành trước 30/6”
                named = [replace(named[1], spans=[Span(Kind.DATE_RANGE, first, last)])]
        if len(named) == 2 and named[0].days and _are_months(named[1]):
            return list(self._chain_parts(_days_in_months(*named)))
        named = self._nearest(named, shown)
        if len(named) == 1:
            if _is_title(named[0]) and not named[0].opens and _follows_words(named[0], shown):
                self._ask("năm ấy có thể chỉ là tên văn bản")
                if named[0].spans[-1].last < self._plan.first:
                    return []
            return list(self._chain_parts(named[0]))
        labels = [self._label_of(chain, named, shown) for chain in named]
        if len(set(labels)) < len(labels):
            self._ask("hai thời gian khác nhau")
        return [
            replace(part, label=label)
            for chain, label in zip(named, labels, strict=True)
            for part in self._chain_parts(chain)
        ]

    def _nearest(self, named: list[Chain], shown: Sequence[_Element]) -> list[Chain]:
        """Leave out periods beside nearer times: “Quý IV, xong trước 25/10”, “Quý I (tháng 3)”."""
        if any(not chain.spans or chain.opens for chain in named):
            return named
        nearest = max((_FINENESS[c.spans[0].kind] for c in named), default=0)
        near = [chain for chain in named if _FINENESS[chain.spans[0].kind] == nearest]
        for chain in (c for c in named if c not in near):
            first, last = chain.spans[0].first, chain.spans[-1].last
            inside = all(first <= span.last <= last for each in near for span in each.spans)
            if not inside and not (not chain.op and _follows_words(chain, shown)):
                self._ask("hai thời gian khác nhau")
        return near

    def _label_of(self, chain: Chain, chains: Sequence[Chain], shown: Sequence[_Element]) -> str:
        place = chains.index(chain)
        after = chains[place - 1].end if place else 0
        words = [e for e in shown if after <= e.start < chain.start]
        if place == 0 and not any(e.kind in ("word", "report") for e in words):
            words = [e for e in shown if chain.end <= e.start < chains[1].start]
        if any(e.kind in ("word", "report") for e in words):
            return self._words(words[0].start, words[-1].end)
        return ""

    def _computed(self, chain: Chain, offset: Token) -> Part:
        """Return the part of “trong 30 ngày kể từ ngày 01/6”, “5 ngày trước 15/6”."""
        self._ask("ngày phải tính ra")
        number = int(offset["count"]) * (1 if chain.opens else -1)
        unit = _unit(offset)
        day = chain.spans[0].first if chain.spans and unit == "day" else None
        return Part(
            kind=Kind.EVENT,
            status=Status.ASSUMED,
            proposed=(day + timedelta(days=number),) if day else (),
            event=self._words(chain.start, chain.end),
            offset=number,
            unit=unit,
        )

    def _chain_parts(self, chain: Chain) -> Iterator[Part]:
        if chain.fuzzy:
            self._ask("thời gian phỏng chừng")
            yield from (_vague_span(span, chain.fuzzy) for span in chain.spans)
            return
        spans = chain.spans or self._days_of_month(chain)
        if not spans:
            yield Part(kind=Kind.DATE, status=Status.ASSUMED)
        for span in spans:
            yield self._span_part(chain, span)

    def _days_of_month(self, chain: Chain) -> list[Span]:
        """Return “ngày 15” under the heading of a month."""
        if chain.days and not self._plan.month:
            self._ask("ngày không ghi tháng")
        if not chain.days or not self._plan.month:
            return []
        last = last_of_month(self._plan.month.year, self._plan.month.month)
        if any(end > last.day for _, end in chain.days):
            self._ask("tháng ấy không có ngày ấy")
            return []
        return [
            Span(
                Kind.DATE if first == end else Kind.DATE_RANGE,
                last.replace(day=first),
                last.replace(day=end),
            )
            for first, end in chain.days
        ]

    def _span_part(self, chain: Chain, span: Span) -> Part:
        if chain.opens:
            return Part(kind=Kind.ONGOING, status=Status.CHECK_IN, start=span.first)
        due, start = span.last, None if span.kind is Kind.DATE else span.first
        if chain.op == "before" and not span.is_dated:
            self._ask("“trước” một kỳ: trước ngày đầu, hay trong kỳ ấy?")
            due, start = span.first, None
        return Part(
            kind=span.kind,
            status=Status.LITERAL if span.is_dated else Status.PERIOD,
            due=(due - DAY if chain.op == "before" else due,),
            op=chain.op or ("by" if span.kind is Kind.DATE else ""),
            start=start,
        )

    # --- cycles and standing work

    def _periodic(self, shown: Sequence[_Element], chains: Sequence[Chain]) -> list[Part]:
        cycle = cycle_of([e for e in shown if isinstance(e, Token)])
        dated = [chain for chain in chains if chain.is_dated]
        days = [chain for chain in chains if chain.days]
        if dated and cycle.has("weekday") and not cycle.has_more_than_weekdays:
            self._check_weekday(cycle, dated)
            return []
        if not cycle.everys:
            return []
        if cycle.has("weekday") and any(e.kind in ("from", "until", "dash") for e in shown):
            self._ask("từ thứ mấy đến thứ mấy: mỗi ngày một lần, hay mỗi tuần một lần?")
            return [Part(kind=Kind.PERIODIC, status=Status.ASSUMED, every=cycle.everys[0])]
        title = not cycle.is_named and (not dated or any(e.kind == "colon" for e in shown))
        if title and not days:
            return []
        if cycle.everys == ["daily"]:
            return [replace(self._standing(shown, chains), every="daily")]
        periods = [c for c in chains if c.spans and not c.is_dated and not c.opens]
        if cycle.has("times") and chains and len(periods) == len(chains):
            return list(self._dated(chains, shown))  # “02 lần/năm (tháng 6 và tháng 11)”
        written = [c for c in dated if not c.opens and not _is_window(c)]
        if cycle.everys[0] == "yearly" and not days:
            written = [c for c in chains if c.is_named and not c.opens and not _is_years(c)]
        if written and not days:
            return self._repeated(written, cycle.everys[0])
        bounds = _bounds([chain for chain in chains if not chain.days])
        parts = []
        for every in cycle.everys:
            part, whys = cycle_part(cycle, every, days, bounds, self._plan)
            if part.status is not Status.ASSUMED and not part.due:  # none lies within the bounds
                part, whys = replace(part, status=Status.ASSUMED), ["có kỳ, không có ngày"]
            self._ask(*whys)
            parts.append(part)
        of = cycle.first("month_of")
        if of and of["next"] and not cycle.has("each", "interval", "report", "regular"):
            self._ask("tháng sau của tháng nào?")
        return parts

    def _check_weekday(self, cycle: Cycle, dated: Sequence[Chain]) -> None:
        named = {day for token in cycle.tokens["weekday"] for day in weekdays_of(token)}
        days = {weekday_name(day) for c in dated for s in c.spans for day in (s.first, s.last)}
        if not named & days:
            self._ask("thứ và ngày không khớp")

    def _repeated(self, chains: Sequence[Chain], every: str) -> list[Part]:
        """Return a cycle whose days are written out: “15/6 và 15/12 hằng năm”."""
        return [
            replace(
                part,
                kind=Kind.PERIODIC if part.kind in (Kind.DATE, Kind.DATE_RANGE) else part.kind,
                every=every,
            )
            for chain in chains
            for part in self._chain_parts(chain)
        ]

    def _standing(self, shown: Sequence[_Element], chains: Sequence[Chain]) -> Part:
        bounds = _bounds(chains)
        if any(c.is_dated and c.op and not c.is_end and not c.opens for c in chains):
            self._ask("vừa thường xuyên, vừa có ngày")
        if any(e.kind == "ongoing" and e.text == "ca nam" for e in shown):
            self._ask("“cả năm”: việc thường xuyên, hay xong trong năm?")
        daily = any("ngay" in e.text.split() for e in shown if e.kind == "ongoing")
        plan = self._plan
        return Part(
            kind=Kind.ONGOING,
            status=Status.CHECK_IN,
            every="daily" if daily else "",
            start=bounds.first or (None if plan.school else plan.first),
            until=bounds.last or (None if plan.school else plan.last),
        )

    # --- events, schedules, and what is vague

    def _event(self, elements: Sequence[_Element], told: int | None) -> Part | None:
        if told is None:
            offset = _offset(elements)
            if not offset or any(e.kind == "chain" for e in elements):
                return None
            self._ask("khoảng thời gian chưa rõ tính từ đâu")
            return self._event_part("", offset, ahead=False)
        opener, behind = elements[told], elements[told + 1 :]
        if opener.kind == "external":
            return None
        offset = _offset(elements[:told])
        late = None if offset else _offset(behind)  # “trước Lễ phát động 10 ngày”
        stops = (e.start for e in behind if e is late or (isinstance(e, Chain) and e.op))
        name = self._words(opener.end, next(stops, elements[-1].end)).removesuffix(" nhưng")
        feast = any(e.kind in ("feast", "limit") for e in behind)
        until_now = any(e.kind == "now" for e in behind)
        if not name or feast or until_now or opener.kind in ("until", "until_end", "by"):
            self._ask("chưa rõ ngày nào")
        if not (offset or late) and any(e.text == "chi" for e in behind):
            self._ask("chờ cấp trên, chưa có ngày")
        part = self._event_part(name, offset or late, ahead=opener.kind in ("before", "ahead"))
        return replace(part, status=Status.ASSUMED) if feast else part

    def _event_part(self, name: str, offset: Token | None, *, ahead: bool) -> Part:
        if offset is None:
            op = "before" if ahead else ""
            return Part(kind=Kind.EVENT, status=Status.AWAITING, event=name, op=op)
        number = int(offset["upto"] or offset["count"])
        if offset["upto"]:
            self._ask("số ngày ghi một khoảng")
        if offset["unit"] == "tuan":
            number *= 7
        return Part(
            kind=Kind.EVENT,
            status=Status.AWAITING,
            event=name,
            offset=-number if ahead else number,
            unit=_unit(offset),
        )

    def _vague(self, elements: Sequence[_Element]) -> list[Part]:
        kinds = {element.kind for element in elements}
        if "external" in kinds:
            return [Part(kind=Kind.EXTERNAL, status=Status.AWAITING)]
        tokens = [e for e in elements if isinstance(e, Token)]
        if kinds & {"feast", "sudden"}:
            self._ask("chưa rõ ngày nào")
            name = self._words(elements[0].start, elements[-1].end)
            return [Part(kind=Kind.EVENT, status=Status.AWAITING, event=name)]
        if kinds & {"fuzzy", "week", "weekday", "school"}:
            self._ask("thời gian phỏng chừng")
            weekdays = ",".join(d for t in tokens if t.kind == "weekday" for d in weekdays_of(t))
            return [
                Part(
                    kind=Kind.NONE,
                    status=Status.ASSUMED,
                    fuzzy=_vague_name(tokens),
                    weekday=weekdays,
                )
            ]
        self._ask("chỗ này không ghi thời gian đọc được")
        return [Part(kind=Kind.NONE, status=Status.AWAITING)]


def _names_feast(shown: Sequence[_Element]) -> bool:
    """Return whether a feast is named, also by “Ngày Pháp luật 09/11”."""
    named = False
    for element in shown:
        if isinstance(element, Chain):
            named = named and element.is_dated and not element.op and element.text[:1].isdigit()
            if named:
                return True
        elif element.kind == "feast":
            return True
        elif element.kind == "filler" and element.text == "ngay":
            named = True
        elif element.kind not in ("word", *SKIPPED):
            named = False
    return False


def _is_heading(shown: Sequence[_Element], place: int) -> bool:
    """Return whether “năm”, “quý” open a line as a label: “năm trước 15/12”."""
    behind = shown[place + 1] if place + 1 < len(shown) else None
    return place == 0 and isinstance(behind, Chain) and behind.op != ""


def _is_numbered(line: Sequence[Token]) -> bool:
    """Return whether a line begins with “1.” or “a)”."""
    if len(line) < 3 or not (line[0].kind == "number" or len(line[0].text) == 1):
        return False
    return line[1].kind == "close" or (line[1].text == "." and line[1].start == line[0].end)


def _groups(line: Sequence[_Element]) -> Iterator[list[_Element]]:
    """Cut a line where another thing with a time of its own begins."""
    group: list[_Element] = []
    for place, element in enumerate(line):
        if group and _begins(line, place, group):
            yield group
            group = []
        group.append(element)
    yield group


def _begins(line: Sequence[_Element], place: int, group: Sequence[_Element]) -> bool:
    element, last = line[place], line[place - 1]
    if last.kind not in ("comma", "open", "close") or not any(e.kind in _TIMES for e in group):
        return False
    names = element.kind in ("word", "report")
    time = next((e for e in line[place:] if e.kind in _TIMES), None)
    if time is None:
        return False
    if _told(group) is not None:  # the words of an event or a schedule have commas
        return names and isinstance(time, Chain) and time.op != ""
    period = isinstance(element, Chain) and bool(element.spans) and not element.is_dated
    dated = any(isinstance(e, Chain) and e.is_dated for e in group)
    if period and dated and last.kind == "comma":
        return True  # “Quý I trước 25/3, quý II trước 25/6”
    told_after = place > 1 and line[place - 2].kind == "word"
    return names or (last.kind == "comma" and told_after and element is time)


def _without_label(elements: Sequence[_Element]) -> Sequence[_Element]:
    """Leave out the time of a label: “Quyết toán năm 2025: quý II/2026”."""
    colon = next((k for k, e in enumerate(elements) if e.kind == "colon"), 0)
    behind = next((e for e in elements[colon:] if e.kind in _TIMES), None)
    if not colon or behind is None:
        return elements
    fine = _fineness(behind)
    return [e for k, e in enumerate(elements) if k > colon or _fineness(e) in (0, fine)]


def _fineness(element: _Element) -> int:
    """Return how exactly a chain says when; 0 for what is none."""
    if not isinstance(element, Chain):
        return 0
    return _FINENESS[element.spans[0].kind] if element.spans else _FINENESS[Kind.DATE]


def _is_event(element: _Element) -> bool:
    return element.kind in ("after", "ahead", "from", "before")


def _is_time(element: _Element) -> bool:
    """Return whether an element of prose is a time of its own."""
    if element.kind == "external":
        return element.text.startswith("theo lich")
    return element.kind in _PROSE and not _is_title(element)


def _is_years(chain: Chain) -> bool:
    return {span.kind for span in chain.spans} == {Kind.YEAR}


def _is_title(element: _Element) -> bool:
    """Return whether a chain is a year alone, as in titles."""
    if not isinstance(element, Chain) or element.op or element.text.startswith("trong"):
        return False
    return _is_years(element)


def _is_named_by(title: str, chain: Chain) -> bool:
    """Return whether the figures of `chain` are those of a target or a feast."""
    if title in ("target", "sign"):
        return True
    return (
        title in ("feast", "feast_lead", "norm")
        and not chain.op
        and (chain.is_dated or not chain.spans)
    )


def _follows_words(chain: Chain, shown: Sequence[_Element]) -> bool:
    place = next((k for k, e in enumerate(shown) if e is chain), 0)
    return place > 0 and shown[place - 1].kind in ("word", "report", "named")


def _are_months(chain: Chain) -> bool:
    return bool(chain.spans) and all(span.kind is Kind.MONTH for span in chain.spans)


def _days_in_months(days: Chain, months: Chain) -> Chain:
    """Return the chain of “ngày 15 các tháng 3, 6, 9”."""
    ends = []
    for span in months.spans:
        end = last_of_month(span.first.year, span.first.month)
        while end <= span.last:
            ends.append(end)
            end = month_shift(end, 1)
    spans = [
        Span(Kind.DATE if a == b else Kind.DATE_RANGE, in_month(end, a), in_month(end, b))
        for end in ends
        for a, b in days.days
    ]
    return replace(days, spans=spans, end=months.end)


def _is_window(chain: Chain) -> bool:
    return chain.is_end or any(span.kind is Kind.DATE_RANGE for span in chain.spans)


def _bounds(chains: Sequence[Chain]) -> Bounds:
    """Return the first and the last day of “từ tháng 5 đến tháng 11”, “từ 01/7”, “đến 31/12”."""
    starts = [
        span.first
        for chain in chains
        for span in chain.spans
        if chain.opens or (span.kind is not Kind.DATE and not chain.is_end)
    ]
    ends = [span.last for chain in chains for span in chain.spans if not chain.opens]
    several = tuple(span for chain in chains for span in chain.spans if not chain.opens)
    spans = several if len(several) > 1 else ()
    return Bounds(min(starts, default=None), max(ends, default=None), spans)


def _told(elements: Sequence[_Element]) -> int | None:
    """Return the place where the words of an event, or of somebody's schedule, begin."""
    for place, element in enumerate(elements):
        two = [e.kind for e in elements[place + 1 : place + 3]]
        if element.kind == "after" and two[:1] == ["offset"] and two[1:] in (["from"], ["after"]):
            continue  # “sau 30 ngày kể từ …”
        if element.kind in ("after", "ahead", "from", "external"):
            if element.kind == "from" and two[:1] == ["weekday"]:
                continue
            return place
        behind = next((e.kind for e in elements[place + 1 :] if e.kind not in SKIPPED), "")
        if element.kind in ("before", "until", "until_end", "by"):
            open_to = ("", "word", "named", "feast", "school", "number", "limit")
            if behind in open_to or (element.kind.startswith("until") and behind == "after"):
                return place
    return None


def _offset(elements: Sequence[_Element]) -> Token | None:
    """Return “05 ngày làm việc”; as a label (“6 tháng: 14/6”) it is none."""
    for place, element in enumerate(elements):
        before = elements[place - 1].kind if place else ""
        behind = elements[place + 1].kind if place + 1 < len(elements) else ""
        label = behind == "colon" or before in ("word", "report")
        label = label or (not place and behind == "chain" and element.text.endswith("thang"))
        if element.kind == "offset" and isinstance(element, Token) and not label:
            return element
    return None


def _unit(offset: Token) -> str:
    if "lam viec" in offset.text:
        return "working-day" if offset["unit"].startswith("ngay") else "hour"
    return {"gio": "hour", "thang": "month"}.get(offset["unit"], "day")


def _vague_span(span: Span, where: str) -> Part:
    """Return the part of “đầu năm 2026”, with a day that may be proposed."""
    edge = _EDGES[where]
    name = {Kind.MONTH: "month", Kind.QUARTER: "quarter", Kind.YEAR: "year"}.get(span.kind, "day")
    first = span.first
    day = span.last
    if edge == "start":
        day = first.replace(day=10) if name == "month" else last_of_month(first.year, first.month)
    elif edge == "middle":
        middle = month_shift(first, 5 if name == "year" else 1)
        day = first.replace(day=15) if name == "month" else middle
    return Part(kind=Kind.NONE, status=Status.ASSUMED, fuzzy=f"{edge}-of-{name}", proposed=(day,))


def _vague_name(tokens: Sequence[Token]) -> str:
    fuzzy = next((t for t in tokens if t.kind == "fuzzy"), None)
    if fuzzy is None:
        return "week" if any(t.kind == "week" for t in tokens) else "term"
    units = (t for t in tokens if t.start >= fuzzy.end and t.kind in ("bare_unit", "school"))
    unit = next((t.text for t in units), "nam")
    name = "term" if unit.startswith("h") else _NAMES.get(unit, "year")
    return f"{_EDGES[fuzzy['where']]}-of-{name}"
