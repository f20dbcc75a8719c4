"""Ask a model: the only door to one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from threading import BoundedSemaphore, Event, Lock
from typing import Any

from errorspan.answers.shape import Output
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.tiers import has_key
from errorspan.models import servers
from errorspan.models.connection import Connections, dialect
from errorspan.models.redaction import redacted, without_secrets
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import Request
from errorspan.text.errors import AskError, shown


class Client:
    """Ask models, with at most the settings' `max_calls` calls in flight over all threads, and `most` in all."""

    def __init__(self, settings: Settings, most: int | None = None) -> None:
        self.stopped = Event()
        self.connections = Connections(settings, self.stopped)
        self._left = most
        self._secrets = settings.key_variables
        self._flights = BoundedSemaphore(settings.max_calls)
        self._counting = Lock()

    def takes(self, file: str, request: Request) -> bool:  # noqa: ARG002 - it asks for whatever is open
        """Tell whether it may be asked for the answer that becomes this file of the record: it has the server's key."""
        return has_key(request.server)

    def defers(self, request: Request, *, sent: bool) -> bool:  # noqa: ARG002 - whatever it is, it is not
        """Tell whether a request waits to be sent with others; `sent`: it is on its way with others already.

        Raises:
            AskError: it is, and would be paid for twice.
        """
        if sent:
            raise AskError("the answer is on its way in a batch; `errorspan run --batch` takes it")
        return False

    def ask(
        self,
        request: Request,
        output: type[Output],
        sending: Callable[[], None] = lambda: None,
        received: Callable[[Reply], None] = lambda _: None,
    ) -> Reply:
        """Send a request and return the reply, whatever its stop reason.

        `sending` is called when its turn has come, and `received` with the reply before the next one's turn: so no more
        than `max_calls` replies can be on their way to the disk.

        Raises:
            AskError: no reply came, in words that say what to do about it.
        """
        with self._flights:
            self.count()
            sdk = self.connections.to(request.server)
            sending()
            asked_at, start = datetime.now(UTC), time.monotonic()
            with self.connections.told(request.server, partial(advice, request)):
                message = sdk.messages.create(**sent(request, output), timeout=sdk.timeout)
            reply = self.reply(message, asked_at, time.monotonic() - start)
            try:
                received(reply)
            except BaseException:
                self.stopped.set()  # before this one's place is taken: what cannot be kept is not asked for
                raise
        return reply

    def count(self) -> None:
        """Count a request that is about to be sent.

        Raises:
            AskError: no further one is.
        """
        with self._counting:
            if self.stopped.is_set():
                raise AskError("stopped before it was asked")
            if self._left == 0:
                raise AskError("not asked, because --max-calls are made")
            self._left = self._left and self._left - 1

    def reply(self, message: Any, asked_at: datetime, seconds: float | None = None) -> Reply:
        """Return a message as a reply; one that nobody waited for by itself came in a batch.

        Raises:
            AskError: it is no message of the API.
        """
        try:
            reply = Reply(
                text=_whole("".join(block.text for block in message.content if block.type == "text")),
                model=self._told(message.model),
                stop_reason=self._told(message.stop_reason),
                stop_detail=self._told(getattr(message.stop_details, "category", None)),
                usage=_usage(message.usage),
                asked_at=asked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                batch=seconds is None or None,
                seconds=None if seconds is None else round(seconds, 3),
            )
        except (AttributeError, TypeError, ValueError):  # the SDK checks no shape: a field may be missing
            raise AskError("the server's reply is no message of the API: it lacks content, model or usage") from None
        return reply.model_copy(update={"text": without_secrets(reply.text, self._secrets)})

    def _told(self, word: Any) -> Any:
        """Return what should be a name as one; what is no text is left to be refused."""
        return shown(redacted(word, self._secrets), 100) if isinstance(word, str) else word


def sent(request: Request, output: type[Output]) -> dict[str, Any]:
    """Return what is sent for a request, by itself or in a batch."""
    how = request.options.model_dump(include={"thinking"}, exclude_none=True)
    shape = request.options.model_dump(include={"effort"}, exclude_none=True)
    if request.schema is not None:
        shape["format"] = {"type": "json_schema", "schema": dialect(output)}
    if shape:
        how["output_config"] = shape
    return {
        "model": request.model,
        "system": request.system,
        "messages": [{"role": role, "content": text} for role, text in request.turns],
        "max_tokens": request.max_tokens,
        **how,
    }


def advice(request: Request, status: int) -> str:
    """Say what to do about a status, in brackets: a model that cannot do what it is asked for says 400."""
    if status in {400, 422} and str(request.options):
        return (
            f" (asked with {request.options}; what {request.model} cannot do, the site's settings must not ask of it)"
        )
    return servers.hint(status, request.server)


def _usage(usage: Any) -> Usage:
    details = getattr(usage, "output_tokens_details", None)
    return Usage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_creation_input_tokens=usage.cache_creation_input_tokens or 0,
        cache_read_input_tokens=usage.cache_read_input_tokens or 0,
        thinking_tokens=getattr(details, "thinking_tokens", None) or 0,
    )


def _whole(text: str) -> str:
    """Return the text without halves of surrogate pairs: JSON may hold them, a file cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
