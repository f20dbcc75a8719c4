"""Ask a model: the only door to one, and the only place that imports the SDK, when it is first needed."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import mktime_tz, parsedate_tz
from functools import partial
from threading import BoundedSemaphore, Event, Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from errorspan.answers.shape import Output
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.tiers import Server
from errorspan.models import servers
from errorspan.models.redaction import Redactor, redacted, without_secrets
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import Request
from errorspan.text.errors import AskError, shown

if TYPE_CHECKING:
    from anthropic import Anthropic


class Client:
    """Ask models, with at most the settings' `max_calls` calls in flight over all threads, and `most` in all."""

    def __init__(self, settings: Settings, most: int | None = None) -> None:
        self._settings = settings
        self._left = most
        self._secrets = settings.key_variables
        self._connected: dict[Server | None, Anthropic] = {}
        self._flights = BoundedSemaphore(settings.max_calls)
        self._starting = Lock()
        self.stopped = Event()

    def takes(self, file: str) -> bool:  # noqa: ARG002 - it asks for whatever is open
        """Tell whether it may be asked for the answer that becomes this file of the record."""
        return True

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
            if self.stopped.is_set():
                raise AskError("stopped before it was asked")
            with self._starting:
                if self._left == 0:
                    raise AskError("not asked, because --max-calls are made")
                self._left = self._left and self._left - 1
                sdk = self._started(request.server)
            sending()
            asked_at, start = datetime.now(UTC), time.monotonic()
            message = self._sent(sdk, request, output)
            reply = self._reply(message, asked_at, time.monotonic() - start)
            try:
                received(reply)
            except BaseException:
                self.stopped.set()  # before this one's place is taken: what cannot be kept is not asked for
                raise
        return reply

    def _reply(self, message: Any, asked_at: datetime, seconds: float) -> Reply:
        try:
            reply = Reply(
                text=_whole("".join(block.text for block in message.content if block.type == "text")),
                model=self._told(message.model),
                stop_reason=self._told(message.stop_reason),
                stop_detail=self._told(getattr(message.stop_details, "category", None)),
                usage=_usage(message.usage),
                asked_at=asked_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                seconds=round(seconds, 3),
            )
        except (AttributeError, TypeError, ValueError):  # the SDK checks no shape: a field may be missing
            raise AskError("the server's reply is no message of the API: it lacks content, model or usage") from None
        return reply.model_copy(update={"text": without_secrets(reply.text, self._secrets)})

    def _started(self, server: Server | None) -> Anthropic:
        from anthropic import Anthropic, DefaultHttpxClient  # noqa: PLC0415 - seconds; a cached build never gets here

        if server in self._connected:
            return self._connected[server]
        for handler in () if self._connected else logging.getLogger().handlers:
            handler.addFilter(Redactor(self._secrets))  # the SDK's own is one, where ANTHROPIC_LOG is set
        try:
            self._connected[server] = Anthropic(
                **servers.own(server),
                max_retries=self._settings.max_retries,
                timeout=self._settings.timeout_seconds,
                middleware=[partial(self._bounded, server)],
                http_client=DefaultHttpxClient(
                    event_hooks=servers.hooks(server, self._settings.timeout_seconds),
                    follow_redirects=False,  # one could carry what is sent, headers above all, to anybody
                ),
            )
        except AskError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK passes on whatever its HTTP library has against an address or a key
            why = self._said(f"{servers.unstarted(error)}{error}")
            raise AskError(f"the API's client does not start: {why}") from None
        return self._connected[server]

    def _sent(self, sdk: Anthropic, request: Request, output: type[Output]) -> Any:
        from anthropic import (  # noqa: PLC0415
            AnthropicError,
            APIConnectionError,
            APIStatusError,
            APITimeoutError,
            transform_schema,
        )

        how = request.options.model_dump(include={"thinking"}, exclude_none=True)
        shape = request.options.model_dump(include={"effort"}, exclude_none=True)
        if request.schema is not None:
            shape["format"] = {"type": "json_schema", "schema": transform_schema(output)}
        if shape:
            how["output_config"] = shape
        tries = f"after {self._settings.max_retries + 1} tries" if self._settings.max_retries else "after one try"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # `deprecations` tells it once, with the tier
                return sdk.messages.create(
                    model=request.model,
                    system=request.system,
                    messages=[{"role": role, "content": text} for role, text in request.turns],  # type: ignore[misc]
                    max_tokens=request.max_tokens,
                    timeout=self._settings.timeout_seconds,
                    **how,
                )
        except APITimeoutError:
            whom = self._said(servers.proxy(str(sdk.base_url)) or servers.sought(request.server, str(sdk.base_url)))
            raise AskError(f"no connection to {whom} within {self._settings.timeout_seconds:g} s, {tries}") from None
        except APIStatusError as error:
            said = _message(error.body) or error.message
            status, advice = error.status_code, _advice(error.status_code, request)
            by = servers.proxy(str(sdk.base_url))
            if status == 407 and by:
                raise AskError(f"{by} answered 407, it wants a user and a password: {self._said(said)}") from None
            retried = f", {tries}" if status in {408, 409, 429} or status >= 500 else ""
            raise AskError(f"the server answered {status}{retried}: {self._said(said)}{advice}") from None
        except APIConnectionError as error:
            raise AskError(self._unconnected(request.server, sdk, error.__cause__ or error, tries)) from None
        except (AnthropicError, TypeError, ValueError, AttributeError) as error:
            raise AskError(f"the server's reply is no message of the API: {self._said(error)}") from None

    def _unconnected(self, server: Server | None, sdk: Anthropic, cause: BaseException, tries: str) -> str:
        """Say which of what stands between here and a server broke, and what has set it."""
        from httpx2 import DecodingError, ProxyError, ReadError, RemoteProtocolError  # noqa: PLC0415

        proxy, whom = servers.proxy(str(sdk.base_url)), servers.sought(server, str(sdk.base_url))
        if isinstance(cause, ReadError | RemoteProtocolError | DecodingError):
            what = f"no whole reply from {whom}{f' through {proxy}' if proxy else ''}"
        elif "CERTIFICATE_VERIFY_FAILED" in str(cause):
            what = f"no connection to {whom}, whose certificate is not trusted ({servers.trusted()})"
        elif isinstance(cause, ProxyError):
            what = f"no connection to {whom}: {proxy or 'the proxy'} refuses it"
        else:
            what = f"no connection to {proxy or whom}"
        return f"{self._said(what)}, {tries}: {self._said(cause)}"

    def _bounded(self, server: Server | None, asked: Any, call_next: Any) -> Any:
        """Let the SDK try again only what cannot have been paid for, or only by a connection's break."""
        from anthropic import APITimeoutError  # noqa: PLC0415

        if self.stopped.is_set():
            raise AskError("stopped before it was asked again")
        try:
            response = call_next(asked)
        except APITimeoutError as error:
            if "Connect" in type(error.__cause__).__name__:
                raise
            how = servers.STILL_SENDING if str(error.__cause__) == servers.STILL_SENDING else "was silent for"
            raise AskError(
                f"the server {how} {self._settings.timeout_seconds:g} s (timeout_seconds); it is not asked "
                "again, because its answer may be on the bill"
            ) from None
        wait = _retry_after(response.headers)
        if response.status_code >= 400 and wait is not None and wait > self._settings.max_wait_seconds:
            raise AskError(
                f"the server answered {response.status_code} and asks to wait {wait:,.0f} s; at most "
                f"{self._settings.max_wait_seconds:g} s are waited for (max_wait_seconds)"
            )
        if 300 <= response.status_code < 400:
            location = response.headers.get("location")
            where = self._said(urljoin(str(asked.url), location) if location else "an address that it does not name")
            raise AskError(
                f"the server answered {response.status_code}: it sends on to {where}, which is not followed, because "
                f"what is sent could get to anybody; if that is where the API is, name it in {servers.named(server)}"
            )
        if response.status_code == 200:
            try:
                body = json.loads(response.http_response.content)
            except (ValueError, RecursionError) as error:
                why = self._said(error)
                raise AskError(f"the server's reply is no JSON ({why}); is {servers.named(server)} an API?") from None
            if isinstance(body, dict) and "content" not in body and (said := _message(body)):
                raise AskError(f"the server answered 200, and an error within: {self._said(said)}")
        return response

    def _said(self, words: object) -> str:
        """Return a server's words for a message: bounded, fit for a terminal, and without secrets."""
        return shown(redacted(str(words), self._secrets), 300)

    def _told(self, word: Any) -> Any:
        """Return what should be a name as one; what is no text is left to be refused."""
        return shown(redacted(word, self._secrets), 100) if isinstance(word, str) else word


def deprecations(models: dict[str, str]) -> list[str]:
    """Say which of these models (by tier) the SDK lists as deprecated, and their last day.

    The list is no part of the SDK's interface: 2.14 moved it. Where it cannot be found, nothing is said.
    """
    from anthropic.resources.messages import messages  # noqa: PLC0415

    last_days: dict[str, str] = getattr(messages, "DEPRECATED_MODELS", {})
    return [
        f"{tier}: {model} is deprecated; its last day is {last_days[model]}"
        for tier, model in models.items()
        if model in last_days
    ]


def _usage(usage: Any) -> Usage:
    details = getattr(usage, "output_tokens_details", None)
    return Usage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_creation_input_tokens=usage.cache_creation_input_tokens or 0,
        cache_read_input_tokens=usage.cache_read_input_tokens or 0,
        thinking_tokens=getattr(details, "thinking_tokens", None) or 0,
    )


def _advice(status: int, request: Request) -> str:
    """Say what to do about a status, in brackets: a model that cannot do what it is asked for says 400."""
    if status in {400, 422} and str(request.options):
        return (
            f" (asked with {request.options}; what {request.model} cannot do, the site's settings must not ask of it)"
        )
    return servers.hint(status, request.server)


def _message(body: object) -> str:
    """Return what a server says of an error, wherever one puts it: as the API does, or as other servers do."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or body.get("message") or body.get("detail") or ""
    return _message(error) if isinstance(error, dict) else str(error)


def _retry_after(headers: Any) -> float | None:
    """Return the seconds that a server asks to wait, in any of the three forms that the SDK obeys."""
    told = headers.get("retry-after", "")
    with suppress(KeyError, ValueError):
        return float(headers["retry-after-ms"]) / 1000
    with suppress(ValueError):
        return float(told)
    with suppress(ValueError, OverflowError):
        date = parsedate_tz(told)
        return mktime_tz(date) - time.time() if date else None
    return None


def _whole(text: str) -> str:
    """Return the text without halves of surrogate pairs: JSON may hold them, a file cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
