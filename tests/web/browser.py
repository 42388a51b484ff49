"""A small office with its page, and browsers that keep cookies and press buttons by their names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlencode

import httpx
from lxml import html as lxml_html

from reminder.domain.weblinks import WebLinks
from reminder.web.app import make_app
from reminder.web.site import Site
from reminder.web.uploads import Reader
from tests.services.world import World

BASE = "http://127.0.0.1:8080"


@dataclass
class Town:
    """An office, its page on the clock of the test, and what was woken."""

    world: World
    now: datetime
    # Where documents wait to be read.
    folder: Path = field(default_factory=lambda: Path(gettempdir()))
    woken: int = 0
    base: str = BASE
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        async def do(work: Callable[[], Any]) -> Any:
            return work()

        def wake() -> None:
            self.woken += 1

        self.links = WebLinks(base_url=self.base, secret=b"s" * 16)
        self.site = Site(
            service=self.world.service,
            do=do,
            wake=wake,
            now=lambda: self.now,
            links=self.links,
            reader=Reader(self.folder),
            editors=frozenset(["chi"]),
        )
        self.app = make_app(self.site)

    @property
    def origin(self) -> str:
        """The address of the host."""
        return self.base.removesuffix(self.site.root)

    def browser(self, person: str = "") -> Browser:
        """A browser; signed in as `person` by a link of the terminal."""
        found = Browser(self)
        if person:
            link = self.links.login(self.world.store.add_login(person, self.now))
            found.open(link)
            found.press("Đăng nhập")
        return found


class Browser:
    """Opens pages, and sends their forms as a browser without scripts would."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cookies = httpx.Cookies()
        self.url, self.status, self.text = "", 0, ""
        self.headers = httpx.Headers()
        self.ip = "127.0.0.1"

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(
                self.town.app, raise_app_exceptions=False, client=(self.ip, 1)
            )
            async with httpx.AsyncClient(
                transport=transport, base_url=self.town.origin, cookies=self.cookies
            ) as client:
                response = await client.request(method, url, **more)
                self.cookies = client.cookies
                return response

        return asyncio.run(sent())

    def open(self, url: str) -> Browser:
        """Open a page, and follow where it leads."""
        return self._follow(self.request("GET", url))

    def _follow(self, response: httpx.Response) -> Browser:
        while response.is_redirect:
            response = self.request("GET", response.headers["location"])
        self.url, self.status, self.text = (
            str(response.url.raw_path, "ascii"),
            response.status_code,
            response.text,
        )
        self.headers = response.headers
        return self

    @property
    def page(self) -> Any:
        return lxml_html.fromstring(self.text)

    def press(
        self, button: str, within: str = "", origin: str | None = None, **typed: Any
    ) -> Browser:
        """Send the form with this button, of the section whose heading has `within`."""
        form, pressed = self.form(button, within)
        fields: list[tuple[str, str]] = []
        for element in form.xpath(".//input|.//select|.//textarea"):
            name, kind = element.get("name"), element.get("type", "text")
            if not name or (
                kind == "checkbox" and element.get("checked") is None and name not in typed
            ):
                continue
            if kind == "checkbox" and typed.get(name) == "":
                continue
            value = element.get("value", "")
            if element.tag == "select":
                options = element.xpath(".//option[@selected]") or element.xpath(".//option")
                value = options[0].get("value", "") if options else ""
            if element.tag == "textarea":
                value = element.text_content().removeprefix("\n")
            fields.append((name, str(typed.get(name, value))))
        if pressed.get("name"):
            fields.append((pressed.get("name"), pressed.get("value", "")))
        method = form.get("method", "get").upper()
        action = pressed.get("formaction") or form.get("action") or self.url
        self.last = (action, fields)
        if method == "GET":
            return self._follow(self.request("GET", action, params=fields))
        return self.post(action, fields, origin)

    def post(
        self, action: str, fields: list[tuple[str, str]], origin: str | None = None
    ) -> Browser:
        body, origin = urlencode(fields), self.town.origin if origin is None else origin
        headers = {"content-type": "application/x-www-form-urlencoded"}
        headers |= {"origin": origin} if origin else {}
        return self._follow(self.request("POST", action, content=body, headers=headers))

    def send(self, name: str, content: bytes, **fields: str) -> Browser:
        """Send a document to be read, as the form for it does."""
        files, headers = {"tep": (name, content)}, {"origin": self.town.origin}
        return self._follow(
            self.request(
                "POST",
                f"{self.town.site.root}/ke-hoach/nhap",
                files=files,
                data=fields,
                headers=headers,
            )
        )

    def again(self) -> Browser:
        """Send the last form once more."""
        return self.post(*self.last)

    def again_at(self, link: str) -> str:
        """Press the button of a sign-in link that is open here; the page's first words."""
        self.post(link.removeprefix(BASE), [])
        heading: str = self.page.xpath("string(//h1)")
        return heading

    def form(self, button: str, within: str = "") -> tuple[Any, Any]:
        """The form with a button of this name, and the button."""
        for pressed in self.page.xpath("//button"):
            name = " ".join(pressed.text_content().split())
            around = pressed.xpath("ancestor::section")
            heading = around[0].xpath("string(.//h2|.//h3)") if around else ""
            if name.startswith(button) and within in heading:
                return pressed.xpath("ancestor::form")[0], pressed
        raise AssertionError(f"no button “{button}” in: {self.words}")

    @property
    def words(self) -> str:
        """What a reader sees of the page."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.text.partition("<main")[2])).split())

    def buttons(self) -> list[str]:
        return [" ".join(b.text_content().split()) for b in self.page.xpath("//main//button")]


def later(town: Town, **span: float) -> None:
    """Time passes."""
    town.now += timedelta(**span)
