"""What people do in their clients, and which of it the bot hears about."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from .methods import Methods
from .model import JSON, Entity, Message, User, is_supergroup, utf16
from .updates import PRESS_SECONDS, Updates
from .world import World

# A letter after the name makes it no command: /hoàn is plain text, whereas /hoan is one.
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@([A-Za-z0-9_]{3,32}))?(?![\w/<>])")
_MENTION = re.compile(r"(?<!\w)@([A-Za-z0-9_]{3,32})(?!\w)")
TELEGRAM = 777000  # the account that service messages are shown with


class People:
    """Puts messages and presses into the world and into the queue of updates."""

    def __init__(
        self, world: World, updates: Updates, methods: Methods, *, privacy_mode: bool
    ) -> None:
        self._world = world
        self._updates = updates
        self._methods = methods
        self._privacy_mode = privacy_mode
        self._query_ids = count(1)

    def send(
        self, user: User, chat_id: int, text: str, *, reply_to: int | None = None, **details: Any
    ) -> Message:
        """A new message of a person; a private one means that Start was pressed."""
        self._check_can_write(user, chat_id)
        if reply_to is not None and self._world.message(chat_id, reply_to) is None:
            raise ValueError(f"there is no message {reply_to} in chat {chat_id} to reply to")
        message = self._world.post(chat_id, text, sender=user.id, reply_to=reply_to, **details)
        self._announce("message", message)
        return message

    def edit(self, user: User, chat_id: int, text: str, message_id: int | None) -> Message:
        """A changed message; without an id it is the person's last one, or one from before."""
        self._check_can_write(user, chat_id)
        own = [
            message
            for message in self._world.messages.values()
            if (message.chat_id, message.sender) == (chat_id, user.id)
            and message_id in (None, message.message_id)
        ]
        if message_id is not None and not own:
            raise ValueError(f"user {user.id} has no message {message_id} in chat {chat_id}")
        message = own[-1] if own else self._world.post(chat_id, "", sender=user.id)
        message.history.append(message.text)
        message.text, message.edit_date = text, self._world.date
        self._announce("edited_message", message)
        return message

    def react(self, chat_id: int, message_id: int) -> None:
        """The first reaction to a person's message: to bots an edit that changes nothing."""
        message = self._world.messages[chat_id, message_id]
        assert message.sender is not None
        self._announce("edited_message", message)

    def press(self, user: User, chat_id: int, message_id: int, data: str) -> str:
        """A press on a button that is shown, or that an old client still shows; its query's id."""
        message = self._world.messages.get((chat_id, message_id))
        if message is None or data not in message.offered:
            raise ValueError(f"message {message_id} in chat {chat_id} never had a button {data!r}")
        query_id = f"query-{next(self._query_ids)}"
        self._methods.pressed[query_id] = self._updates.time()
        body: JSON = {"id": query_id, "from": user.json(), "chat_instance": str(chat_id)}
        body |= {"message": self._pressed_message(message), "data": data}
        self._updates.add("callback_query", body, PRESS_SECONDS)
        return query_id

    def migrate(self, old: int, new: int) -> None:
        """A group becomes a supergroup: both chats get a service message about it."""
        if is_supergroup(old) or not is_supergroup(new):
            raise ValueError(f"a group becomes a supergroup, not {old} a {new}")
        group = self._world.group(old)
        self._world.group(new, group.title)
        group.migrated_to = new
        for chat_id, other in (
            (old, {"migrate_to_chat_id": new}),
            (new, {"migrate_from_chat_id": old}),
        ):
            message = self._world.post(chat_id, "", sender=TELEGRAM)
            self._updates.add("message", self._world.message_json(message) | other)

    def membership(self, chat_id: int, by: int | None, before: str, after: str) -> None:
        """The bot hears that it was blocked, unblocked or kicked."""
        who = self._world.user(by or TELEGRAM, first_name=None if by else "Telegram")
        body: JSON = {"chat": self._world.chat_json(chat_id), "from": who.json()}
        body["date"] = self._world.date
        body["old_chat_member"], body["new_chat_member"] = self._member(before), self._member(after)
        self._updates.add("my_chat_member", body)

    def _member(self, status: str) -> JSON:
        until = {"until_date": 0} if status == "kicked" else {}
        return {"user": self._world.bot, "status": status} | until

    def _check_can_write(self, user: User, chat_id: int) -> None:
        if user.deactivated or (user.blocked and chat_id > 0):
            raise ValueError(f"user {user.id} has no chat with the bot to write in")
        if chat_id > 0:
            user.started = True
        else:
            self._world.group(chat_id)

    def _announce(self, kind: str, message: Message) -> None:
        message.entities = tuple(typed_entities(message.text))
        if self._hears(message):
            self._updates.add(kind, self._world.message_json(message))

    def _hears(self, message: Message) -> bool:
        """In a group with privacy mode: commands, replies to the bot and mentions of it."""
        if message.chat_id > 0:
            return True
        if self._world.group(message.chat_id).kicked:
            return False
        name = str(self._world.bot["username"]).lower()
        command = _COMMAND.match(message.text)
        if command is not None and command[2] is not None and command[2].lower() != name:
            return False
        answered = self._world.messages.get((message.chat_id, message.reply_to or 0))
        mentioned = name in {found.lower() for found in _MENTION.findall(message.text)}
        to_bot = answered is not None and answered.sender is None
        return not self._privacy_mode or command is not None or mentioned or to_bot

    def _pressed_message(self, message: Message) -> JSON:
        if not message.deleted:
            return self._world.message_json(message)
        chat = self._world.chat_json(message.chat_id)
        return {"chat": chat, "message_id": message.message_id, "date": 0}


def typed_entities(text: str) -> list[Entity]:
    """A command at the start and mentions, as a client marks them while a person types."""
    command = _COMMAND.match(text)
    commands = [Entity("bot_command", 0, utf16(command[0]))] if command else []
    mentions = [
        Entity("mention", utf16(text[: found.start()]), utf16(found[0]))
        for found in _MENTION.finditer(text)  # never the @ of a command: a letter stands before it
    ]
    return commands + mentions
