"""The part of the store for the page: sign-ins, sessions, spent links, tries, the log of sight."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from reminder.domain.tokens import hash_code
from reminder.domain.weblinks import LOGIN_LIFETIME
from reminder.store.database import Database, Part
from reminder.store.records import moment, stamp, words
from reminder.store.tables import (
    Shape,
    mine,
    web_log,
    web_login,
    web_session,
    web_spent,
    web_token,
    web_try,
)

KEPT = timedelta(days=30)  # spent links and sign-ins, after which none is alive
SIGHTS_KEPT = timedelta(days=731)  # of the log of sight


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A request to sign in, by a link or a code."""

    id: str
    person: str
    browser: str  # hash of the cookie of who asked
    expires_at: datetime
    used_at: datetime | None
    tries: int  # wrong codes


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A browser that is signed in."""

    hash: str
    person: str
    made_at: datetime
    seen_at: datetime
    kept: bool  # on a device of one's own
    agent: str  # what the browser calls itself
    proved_at: datetime | None = None  # when a code was typed again: since then it is fresh


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token by which another program speaks for a person."""

    hash: str
    person: str
    name: str
    acts: bool  # False: it reads only
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """An entry of the log of sight: who signed in, was refused, or took something along."""

    at: datetime
    person: str  # empty: nobody who is known
    what: str  # as `sights` of web/ledger.py names it
    detail: str = ""
    session: str = ""  # the beginning of its hash


LOGIN = Shape(web_login, Login)
SESSION = Shape(web_session, Session)
TOKEN = Shape(web_token, Token)
SIGHT = Shape(web_log, Sight)


class WebPart(Part):
    """What the page remembers besides the ledger."""

    def __init__(self, database: Database, office: str = "") -> None:
        super().__init__(database, office)
        self._spend = database.insert(web_spent).returning(web_spent.c.at)

    def add_login(self, person: str, now: datetime, browser: str = "") -> str:
        """Keep a request to sign in; return its id, from which its link and code are made.

        `browser`: the cookie of who asked, without which the code is worth nothing.
        """
        login = secrets.token_urlsafe(16)
        kept = Login(
            id=login,
            person=person,
            browser=browser and hash_code(browser),
            expires_at=now + LOGIN_LIFETIME,
            used_at=None,
            tries=0,
        )
        self._change(insert(web_login), **LOGIN.columns(kept))
        return login

    def login(self, login: str) -> Login | None:
        """Return the request with this id."""
        return self._one(LOGIN, web_login.c.id == words(login))

    def use_login(self, login: str, now: datetime) -> bool:
        """Use a request once; return False if it is used, expired or unknown."""
        c = web_login.c
        use = (
            update(web_login)
            .where(
                mine(web_login),
                c.id == words(login),
                c.used_at.is_(None),
                c.expires_at > stamp(now),
            )
            .values(used_at=stamp(now))
            .returning(c.id)
        )
        return self._changed(use)

    def miss_login(self, login: str) -> None:
        """Count a wrong code."""
        c = web_login.c
        self._set(web_login, c.id == words(login), tries=c.tries + 1)

    def add_session(self, session: Session) -> None:
        """Keep a session."""
        self._change(insert(web_session), **SESSION.columns(session))

    def sessions(self, person: str = "") -> list[Session]:
        """Return the sessions of `person`, or all, the newest first."""
        asked = (
            select(web_session)
            .where(mine(web_session))
            .order_by(web_session.c.made_at.desc(), web_session.c.hash)
        )
        if person:
            asked = asked.where(web_session.c.person == words(person))
        return list(map(SESSION.read, self._database.all(asked)))

    def session(self, hashed: str) -> Session | None:
        """Return the session with this hash."""
        return self._one(SESSION, web_session.c.hash == hashed)

    def touch_session(self, hashed: str, now: datetime) -> None:
        """Note that a session was used."""
        self._set(web_session, web_session.c.hash == hashed, seen_at=stamp(now))

    def prove_session(self, hashed: str, now: datetime) -> None:
        """Note that a code was typed again."""
        self._set(web_session, web_session.c.hash == hashed, proved_at=stamp(now))

    def end_sessions(self, *hashes: str) -> None:
        """End these sessions."""
        self._change(delete(web_session).where(mine(web_session), web_session.c.hash.in_(hashes)))

    def add_token(self, token: Token) -> None:
        """Keep a token."""
        self._change(insert(web_token), **TOKEN.columns(token))

    def tokens(self, *, person: str = "", hashed: str = "") -> list[Token]:
        """Return the tokens of a person, or the one with this hash."""
        c = web_token.c
        asked = select(web_token).where(mine(web_token)).order_by(c.expires_at, c.hash)
        asked = asked.where(c.person == words(person)) if person else asked
        asked = asked.where(c.hash == hashed) if hashed else asked
        return list(map(TOKEN.read, self._database.all(asked)))

    def end_token(self, hashed: str, person: str) -> None:
        """End a token of a person."""
        c = web_token.c
        self._change(
            delete(web_token).where(mine(web_token), c.hash == hashed, c.person == words(person))
        )

    def spend(self, link: str, at: datetime) -> bool:
        """Mark a link as spent; False if it was."""
        return self._changed(self._spend, link=words(link), at=stamp(at))

    def spent_at(self, link: str) -> datetime | None:
        """Return when a link was spent; None: it is not."""
        asked = select(web_spent.c.at).where(mine(web_spent), web_spent.c.link == words(link))
        return next((moment(at) for (at,) in self._database.all(asked)), None)

    def count_try(self, what: str, at: datetime, since: datetime, most: int) -> bool:
        """Count a try; False, without counting it, if there were `most` from `since` on.

        Older tries are forgotten, and spent links and sign-ins of long ago.
        """
        c = web_try.c
        asked = select(func.count()).where(
            mine(web_try), c.what == words(what), c.at >= stamp(since)
        )
        with self._database.reading() as connection:
            if connection.execute(asked).scalar_one() >= most:
                return False
        with self._database.writing() as connection:
            connection.execute(delete(web_try).where(mine(web_try), c.at < stamp(since)))
            connection.execute(
                delete(web_spent).where(mine(web_spent), web_spent.c.at < stamp(at - KEPT))
            )
            connection.execute(
                delete(web_login).where(mine(web_login), web_login.c.expires_at < stamp(at - KEPT))
            )
            connection.execute(insert(web_try), {"what": words(what), "at": stamp(at)})
            return True

    def note_sight(self, sight: Sight, *, once_since: datetime | None = None) -> None:
        """Keep an entry of the log of sight, and forget those of more than two years ago.

        `once_since`: not if the same stands there since then.
        """
        c = web_log.c
        same = select(c.id).where(
            mine(web_log),
            c.person == words(sight.person),
            c.what == sight.what,
            c.detail == words(sight.detail),
            c.at >= stamp(once_since or sight.at),
        )
        with self._database.writing() as connection:
            if once_since and connection.execute(same.limit(1)).first():
                return
            connection.execute(
                delete(web_log).where(mine(web_log), c.at < stamp(sight.at - SIGHTS_KEPT))
            )
            connection.execute(insert(web_log), SIGHT.columns(sight))

    def sights(
        self,
        *,
        person: str = "",
        what: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
        skip: int = 0,
    ) -> list[Sight]:
        """Return entries of the log of sight, the newest first."""
        c = web_log.c
        asked = (
            select(web_log)
            .where(mine(web_log))
            .order_by(c.at.desc(), c.id.desc())
            .limit(limit)
            .offset(skip)
        )
        asked = asked.where(c.person == words(person)) if person else asked
        asked = asked.where(c.what == words(what)) if what else asked
        asked = asked.where(c.at >= stamp(since)) if since else asked
        asked = asked.where(c.at < stamp(until)) if until else asked
        return list(map(SIGHT.read, self._database.all(asked)))
