"""`reminder web-link`: a link that signs in to the page, for the first time or without mail."""

from __future__ import annotations

import io
import json

from reminder.app import bootstrap
from reminder.app.channels import web_links
from reminder.cli.options import AsJson, Config
from reminder.cli.people import PersonId, known_person
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.weblinks import LOGIN_LIFETIME


def web_link(person: PersonId, as_json: AsJson = False, config: Config = None) -> None:
    """In đường dẫn đăng nhập trang theo dõi của một người, dùng một lần trong 10 phút."""
    with bootstrap.office(config) as opened:
        found = known_person(person, opened.office.people)
        links = web_links(opened.settings, opened.store)
        if links is None:
            raise ReminderError(
                'trang theo dõi chưa bật: ghi listen = "127.0.0.1:8080" dưới [web] trong'
                " config/reminder.toml rồi chạy lại máy nhắc việc"
            )
        url = links.login(opened.store.add_login(found.id, opened.now))
        until = opened.now + LOGIN_LIFETIME
    if as_json:
        until_text = local(until).isoformat(timespec="seconds")
        print(json.dumps({"person": found.id, "url": url, "expires_at": until_text}))
        return
    import segno  # 20 ms, for people alone

    picture = io.StringIO()
    segno.make(url).terminal(picture, compact=True)
    print(picture.getvalue(), end="")
    print(url)
    print(f"Dành cho {found.name}, dùng một lần, đến {local(until):%H:%M}.")
