"""The methods of the Bot API that the project uses; every other name is 404."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from .input import (
    Params,
    check_buttons,
    finish_caption,
    finish_text,
    read_caption,
    read_keyboard,
    read_text,
)
from .limits import Limits
from .model import (
    JSON,
    Answer,
    ApiError,
    File,
    Formatted,
    Keyboard,
    Message,
    bad_request,
)
from .updates import LONGEST_POLL, MOST_UPDATES, PRESS_SECONDS, WEBHOOK_CONFLICT, Updates
from .webhook import Webhook
from .world import World

DELETE_SECONDS = 48 * 3600  # a message can be deleted for two days
ANSWER_POINTS = 200
_ACTIONS = re.compile(r"typing|cancel|choose_sticker|find_location|(record|upload)_[a-z_]+")

Method = Callable[[Params], Awaitable[Any]]


class Methods:
    """What each method does to the world. The order of the checks is the server's: form, then
    access, then content, then the limits."""

    def __init__(
        self,
        world: World,
        updates: Updates,
        limits: Limits,
        clock: Callable[[], float],
        webhook: Webhook,
    ) -> None:
        self._world = world
        self._webhook = webhook
        self._updates = updates
        self._limits = limits
        self._clock = clock
        self.pressed: dict[str, float] = {}
        self.answers: list[Answer] = []
        self.commands: dict[str, dict[str, str]] = {}
        self._table: dict[str, Method] = {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "sendmessage": self._send_message,
            "senddocument": self._send_document,
            "editmessagetext": self._edit_text,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete_message,
            "answercallbackquery": self._answer_query,
            "setmycommands": self._set_commands,
            "setwebhook": webhook.set,
            "deletewebhook": webhook.delete,
            "getwebhookinfo": webhook.info,
            "sendchataction": self._chat_action,
            "getchat": self._get_chat,
        }

    async def run(self, method: str, params: Params) -> Any:
        """The method's result; its name may be written in any case."""
        known = self._table.get(method.lower())
        if known is None:
            raise ApiError(404, "Not Found: method not found")
        return await known(params)

    async def _get_me(self, _: Params) -> JSON:
        return self._world.bot

    async def _get_updates(self, params: Params) -> list[JSON]:
        if self._webhook.url:
            raise ApiError(409, WEBHOOK_CONFLICT)
        allowed = params.json("allowed_updates", "allowed updates")
        if allowed is not None:  # not given means: as before
            self._updates.allow(allowed)
        limit = max(1, min(params.number("limit", MOST_UPDATES), MOST_UPDATES))
        seconds = min(params.number("timeout"), LONGEST_POLL)
        return await self._updates.poll(params.number("offset"), limit, seconds)

    async def _send_message(self, params: Params) -> JSON:
        formatted, keyboard = read_text(params), read_keyboard(params)
        chat_id = self._world.writable(params.text("chat_id"))
        options = params.json("link_preview_options", "link preview options") or {}
        hidden = options.get("is_disabled") or params.flag("disable_web_page_preview")
        details: JSON = {"reply_to": self._reply_to(chat_id, params), "preview": not hidden}
        details["topic"] = self._world.topic(chat_id, params.number("message_thread_id"))
        return self._post(chat_id, finish_text(formatted), keyboard, params, **details)

    async def _send_document(self, params: Params) -> JSON:
        document = self._document(params)
        caption, keyboard = read_caption(params), read_keyboard(params)
        chat_id = self._world.writable(params.text("chat_id"))
        details: JSON = {"reply_to": self._reply_to(chat_id, params), "document": document}
        details["topic"] = self._world.topic(chat_id, params.number("message_thread_id"))
        return self._post(chat_id, finish_caption(caption), keyboard, params, **details)

    def _post(
        self, chat_id: int, shown: Formatted, keyboard: Keyboard, params: Params, **details: Any
    ) -> JSON:
        check_buttons(keyboard)
        self._limits.take(chat_id)
        silent = params.flag("disable_notification")
        details |= {"entities": shown.entities, "silent": silent}
        message = self._world.post(chat_id, shown.text, keyboard, **details)
        return self._world.message_json(message)

    def _reply_to(self, chat_id: int, params: Params) -> int | None:
        wish = params.json("reply_parameters", "reply parameters") or {}
        number = int(wish.get("message_id") or params.number("reply_to_message_id"))
        if number <= 0 or self._world.message(chat_id, number) is not None:
            return number if number > 0 else None
        if wish.get("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")

    def _document(self, params: Params) -> File:
        value = params.text("document")
        name = value.removeprefix("attach://") if value.startswith("attach://") else "document"
        found = self._world.files.get(value) or params.files.get(name)
        if found is None and value:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if found is None:
            raise bad_request("there is no document in the request")
        if not found.content:
            raise bad_request("file must be non-empty")
        return found

    async def _edit_text(self, params: Params) -> JSON:
        formatted, keyboard = read_text(params), read_keyboard(params)
        message = self._editable(params)
        if message.document is not None:
            raise bad_request("there is no text in the message to edit")
        return self._change(message, finish_text(formatted), keyboard)

    async def _edit_markup(self, params: Params) -> JSON:
        keyboard = read_keyboard(params)
        message = self._editable(params)
        return self._change(message, Formatted(message.text, message.entities), keyboard)

    def _editable(self, params: Params) -> Message:
        chat_id = self._world.writable(params.text("chat_id"), edit=True)
        message = self._world.message(chat_id, params.number("message_id"))
        if message is None:
            raise bad_request("message to edit not found")
        group = self._world.groups.get(chat_id)
        if message.sender is not None or (group is not None and group.migrated_to is not None):
            raise bad_request("message can't be edited")
        return message

    def _change(self, message: Message, shown: Formatted, keyboard: Keyboard) -> JSON:
        """An edit without reply_markup takes the buttons away; an edit of nothing is an error."""
        check_buttons(keyboard)
        same = message.text == shown.text and message.entities == shown.entities
        if same and message.buttons == keyboard:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        self._limits.take(message.chat_id)
        if not same:
            message.history.append(message.text)
        message.text, message.entities = shown.text, shown.entities
        message.edit_date = self._world.date
        message.show(keyboard)
        return self._world.message_json(message)

    async def _delete_message(self, params: Params) -> bool:
        chat_id = self._world.writable(params.text("chat_id"))
        message = self._world.message(chat_id, params.number("message_id"))
        if message is None:
            raise bad_request("message to delete not found")
        foreign = chat_id < 0 and message.sender is not None  # would need an administrator
        if foreign or self._world.date - message.date > DELETE_SECONDS:
            raise bad_request("message can't be deleted")
        message.deleted = True
        return True

    async def _answer_query(self, params: Params) -> bool:
        query_id, text = params.text("callback_query_id"), params.text("text")
        if self._clock() - self.pressed.get(query_id, -PRESS_SECONDS * 1e9) >= PRESS_SECONDS:
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        if len(text) > ANSWER_POINTS:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answers.append(Answer(query_id, text, params.flag("show_alert")))
        return True

    async def _set_commands(self, params: Params) -> bool:
        given = params.json("commands", "commands") or []
        commands = {command["command"]: command["description"] for command in given}
        if not all(re.fullmatch(r"[a-z0-9_]{1,32}", name) for name in commands):
            raise bad_request("BOT_COMMAND_INVALID")
        if not all(1 <= len(words) <= 256 for words in commands.values()):
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        scope = params.json("scope", "BotCommandScope") or {"type": "default"}
        self.commands[scope["type"]] = commands
        return True

    async def _chat_action(self, params: Params) -> bool:
        if not _ACTIONS.fullmatch(params.text("action").lower()):
            raise bad_request("wrong parameter action in request")
        self._world.writable(params.text("chat_id"))
        return True

    async def _get_chat(self, params: Params) -> JSON:
        chat_id = self._world.readable(params.text("chat_id"))
        if chat_id > 0 and chat_id not in self._world.users:
            raise bad_request("chat not found")
        kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        gifts = dict.fromkeys((*kinds, "gifts_from_channels"), False)
        rest = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
        return self._world.chat_json(chat_id) | rest
