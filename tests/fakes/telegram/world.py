"""People, groups and messages: who may be written to, and how each looks in the Bot API's JSON."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any

from .model import (
    JSON,
    ApiError,
    File,
    Group,
    Keyboard,
    Message,
    User,
    bad_request,
    forbidden,
    is_supergroup,
)

# What an administrator who stays anonymous is shown as.
ANONYMOUS: JSON = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}


class World:
    """Everything that the server knows; changed by people and by the bot's methods."""

    def __init__(self, bot: JSON, now: Callable[[], float]) -> None:
        self.bot = bot
        self._now = now
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.messages: dict[tuple[int, int], Message] = {}
        self.files: dict[str, File] = {}
        # A supergroup counts its messages itself; all other chats of a bot share one count.
        self._ids: defaultdict[int, count[int]] = defaultdict(lambda: count(1))

    @property
    def date(self) -> int:
        """Now in Unix seconds."""
        return int(self._now())

    def user(
        self, user_id: int, *, first_name: str | None = None, username: str | None = None
    ) -> User:
        """The person with this id, met for the first time or again; names given now are kept."""
        known = self.users.setdefault(user_id, User(user_id, f"User {user_id}"))
        known.first_name = first_name or known.first_name
        known.username = username or known.username
        return known

    def group(self, chat_id: int, title: str | None = None) -> Group:
        """The group with this id; the bot is in it from the first mention on."""
        known = self.groups.setdefault(chat_id, Group(chat_id, f"Group {chat_id}"))
        known.title = title or known.title
        return known

    def readable(self, chat_id: str) -> int:
        """The chat's number, or 400: an id is a whole number of a chat that the bot has met."""
        if not chat_id:
            raise bad_request("chat_id is empty")
        number = int(chat_id) if re.fullmatch(r"-?[0-9]+", chat_id) else 0
        if number == 0 or (number < 0 and number not in self.groups):
            raise bad_request("chat not found")
        return number

    def writable(self, chat_id: str, *, edit: bool = False) -> int:
        """The chat's number if the bot may write there; an edit passes in a migrated group."""
        number = self.readable(chat_id)
        if number > 0:
            self._check_person(self.user(number))
        else:
            self._check_group(self.groups[number], edit=edit)
        return number

    def _check_person(self, user: User) -> None:
        if user.deactivated:
            raise forbidden("user is deactivated")
        if not user.started:
            raise forbidden("bot can't initiate conversation with a user")
        if user.blocked:
            raise forbidden("bot was blocked by the user")

    def _check_group(self, group: Group, *, edit: bool) -> None:
        if group.kicked:
            raise forbidden(f"bot was kicked from the {group.kind} chat")
        if group.migrated_to is not None and not edit:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=group.migrated_to,
            )

    def topic(self, chat_id: int, topic: int) -> int | None:
        """The topic, if the bot may write there; 0: the chat has none, or its general one."""
        if not topic:
            return None
        is_open = self.groups[chat_id].topics.get(topic) if chat_id in self.groups else None
        if is_open is None:
            raise bad_request("message thread not found")
        if not is_open:
            raise bad_request("TOPIC_CLOSED")
        return topic

    def post(self, chat_id: int, text: str, buttons: Keyboard = (), **details: Any) -> Message:
        """A new message in the chat; the next id of that chat is its own."""
        number = next(self._ids[chat_id if is_supergroup(chat_id) else 0])
        message = Message(chat_id, number, text, date=self.date, **details)
        message.show(buttons)
        self.messages[chat_id, number] = message
        return message

    def message(self, chat_id: int, message_id: int) -> Message | None:
        """The message, unless it was deleted or never was."""
        found = self.messages.get((chat_id, message_id))
        return None if found is None or found.deleted else found

    def chat_json(self, chat_id: int) -> JSON:
        """The chat as every message carries it."""
        if chat_id > 0:
            person = self.user(chat_id).json()
            del person["is_bot"]
            return person | {"type": "private"}
        group = self.group(chat_id)
        forum = {"is_forum": True} if group.topics else {}
        return {"id": chat_id, "type": group.kind, "title": group.title} | forum

    def message_json(self, message: Message) -> JSON:
        """The message as the Bot API writes it, with the one that it answers inside."""
        body = self._heading(message) | self._content(message)
        if message.buttons:
            rows = [[button.json() for button in row] for row in message.buttons]
            body["reply_markup"] = {"inline_keyboard": rows}
        # What answers nothing in a topic answers the message that made the topic.
        number = message.reply_to or message.topic or 0
        answered = self.messages.get((message.chat_id, number))
        if answered is not None:
            plain = self.message_json(answered)
            plain.pop("reply_to_message", None)  # replies are shown one level deep
            body["reply_to_message"] = plain
        return body

    def _heading(self, message: Message) -> JSON:
        sender = self.bot if message.sender is None else self.user(message.sender).json()
        body: JSON = {"message_id": message.message_id, "from": sender}
        if message.anonymous:
            body |= {"from": ANONYMOUS, "sender_chat": self.chat_json(message.chat_id)}
        if message.topic is not None:
            body |= {"message_thread_id": message.topic, "is_topic_message": True}
        body |= {"chat": self.chat_json(message.chat_id), "date": message.date}
        if message.edit_date is not None:
            body["edit_date"] = message.edit_date
        if message.forwarded:
            origin = {"type": "hidden_user", "sender_user_name": "Someone", "date": message.date}
            body["forward_origin"] = origin
        return body

    def _content(self, message: Message) -> JSON:
        name = "caption" if message.document else "text"
        body: JSON = {name: message.text} if message.text else {}
        body |= message.more
        if message.entities:
            key = "caption_entities" if message.document else "entities"
            body[key] = [entity.json() for entity in message.entities]
        if message.document:
            body["document"] = self._document(message, message.document)
        return body

    def _document(self, message: Message, file: File) -> JSON:
        file_id = f"file-{message.chat_id}-{message.message_id}"
        self.files.setdefault(file_id, file)
        body = {"file_id": file_id, "file_unique_id": file_id, "file_name": file.name}
        return body | {"mime_type": file.mime, "file_size": len(file.content)}
