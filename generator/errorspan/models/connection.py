"""Connect to servers by the SDK; the only place that imports it, when it is first needed. Its errors become words."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import mktime_tz, parsedate_tz
from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from errorspan.answers.shape import Output
from errorspan.authoring.settings import Settings
from errorspan.authoring.tiers import Server
from errorspan.models import servers
from errorspan.models.redaction import Redactor, redacted
from errorspan.text.errors import AskError, Unreached, shown

if TYPE_CHECKING:
    from anthropic import Anthropic

BATCHES = "/v1/messages/batches"

_OVERLOADED = 529
_TIMES = {408, 409, 429}
"""What the SDK tries again below 500."""


class Connections:
    """A client of the SDK for each server; once `stopped`, none tries again."""

    def __init__(self, settings: Settings, stopped: Event) -> None:
        self._settings = settings
        self._stopped = stopped
        self._secrets = settings.key_variables
        self._starting = Lock()
        self._connected: dict[Server | None, Anthropic] = {}

    def to(self, server: Server | None) -> Anthropic:
        """Return the SDK's client of a server: of Anthropic's, where it is None.

        Raises:
            AskError: it does not start.
        """
        with self._starting:
            return self._started(server)

    @contextmanager
    def told(self, server: Server | None, advice: Callable[[int], str]) -> Iterator[None]:
        """Tell what goes wrong with a server; `advice` says, in brackets, what to do about a status.

        Raises:
            AskError: no reply came, in words that say what to do about it.
        """
        from anthropic import AnthropicError, APIConnectionError, APIStatusError, APITimeoutError  # noqa: PLC0415
        from httpx2 import RequestError  # noqa: PLC0415 - what breaks while results are read, the SDK passes on

        address = str(self.to(server).base_url)
        tries = f"after {self._settings.max_retries + 1} tries" if self._settings.max_retries else "after one try"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # `deprecations` tells it once, with the tier
                yield
        except APITimeoutError:
            whom = self.said(servers.proxy(address) or servers.sought(server, address))
            raise Unreached(f"no connection to {whom} within {self._settings.timeout_seconds:g} s, {tries}") from None
        except APIStatusError as error:
            said, status = self.said(message(error.body) or error.message), error.status_code
            if status == 407 and (by := servers.proxy(address)):
                raise AskError(f"{by} answered 407, it wants a user and a password: {said}") from None
            retried = status in _TIMES or status >= 500
            kind = Unreached if retried else AskError
            raise kind(
                f"the server answered {status}{f', {tries}' if retried else ''}: {said}{advice(status)}"
            ) from None
        except APIConnectionError as error:
            raise Unreached(self._unconnected(server, address, error.__cause__ or error, tries)) from None
        except RequestError as error:
            raise Unreached(self._unconnected(server, address, error, "after one try")) from None
        except (AnthropicError, TypeError, ValueError, AttributeError) as error:
            raise Unreached(f"the server's reply is no message of the API: {self.said(error)}") from None

    def said(self, words: object) -> str:
        """Return a server's words for a message: bounded, fit for a terminal, and without secrets."""
        return shown(redacted(str(words), self._secrets), 300)

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
            why = self.said(f"{servers.unstarted(error)}{error}")
            raise AskError(f"the API's client does not start: {why}") from None
        return self._connected[server]

    def _unconnected(self, server: Server | None, address: str, cause: BaseException, tries: str) -> str:
        """Say which of what stands between here and a server broke, and what has set it."""
        from httpx2 import DecodingError, ProxyError, ReadError, RemoteProtocolError  # noqa: PLC0415

        proxy, whom = servers.proxy(address), servers.sought(server, address)
        if isinstance(cause, ReadError | RemoteProtocolError | DecodingError):
            what = f"no whole reply from {whom}{f' through {proxy}' if proxy else ''}"
        elif "CERTIFICATE_VERIFY_FAILED" in str(cause):
            what = f"no connection to {whom}, whose certificate is not trusted ({servers.trusted()})"
        elif isinstance(cause, ProxyError):
            what = f"no connection to {whom}: {proxy or 'the proxy'} refuses it"
        else:
            what = f"no connection to {proxy or whom}"
        return f"{self.said(what)}, {tries}: {self.said(cause)}"

    def _bounded(self, server: Server | None, asked: Any, call_next: Any) -> Any:
        """Let the SDK try again only what cannot have been paid for, or only by a connection's break.

        What makes a batch is not even tried again after that: it may be there, and can be looked for.
        """
        from anthropic import APIConnectionError, APITimeoutError  # noqa: PLC0415

        if self._stopped.is_set():
            raise AskError("stopped before it was asked again")
        makes = asked.url == BATCHES and asked.method.lower() == "post"
        self._at_home(server, str(asked.url))
        try:
            response = call_next(asked)
        except APITimeoutError as error:
            if "Connect" in type(error.__cause__).__name__:
                raise
            how = servers.STILL_SENDING if str(error.__cause__) == servers.STILL_SENDING else "was silent for"
            raise Unreached(
                f"the server {how} {self._settings.timeout_seconds:g} s (timeout_seconds); it is not asked "
                "again, because its answer may be on the bill"
            ) from None
        except APIConnectionError as error:
            cause = error.__cause__ or error
            if not makes or "Connect" in type(cause).__name__:
                raise
            raise Unreached(self._unconnected(server, str(self.to(server).base_url), cause, "after one try")) from None
        self._hold(server, asked, response)
        if makes and (response.status_code == 408 or 500 <= response.status_code != _OVERLOADED):
            raise Unreached(f"the server answered {response.status_code}")
        return response

    def _at_home(self, server: Server | None, url: str) -> None:
        """Hold that nothing is fetched, with a key, from where another than the site names."""
        there, own = urlsplit(url), urlsplit(str(self._connected[server].base_url))
        if there.netloc and (there.scheme, there.netloc) != (own.scheme, own.netloc):
            raise AskError(
                f"the server sends on to {self.said(url)}, which is not followed, because what is sent could get to "
                f"anybody; if that is where the API is, name it in {servers.named(server)}"
            )

    def _hold(self, server: Server | None, asked: Any, response: Any) -> None:
        """Hold what a response is, before the SDK obeys it or reads it."""
        wait = _retry_after(response.headers)
        if response.status_code >= 400 and wait is not None and wait > self._settings.max_wait_seconds:
            raise Unreached(
                f"the server answered {response.status_code} and asks to wait {wait:,.0f} s; at most "
                f"{self._settings.max_wait_seconds:g} s are waited for (max_wait_seconds)"
            )
        if 300 <= response.status_code < 400:
            location = response.headers.get("location")
            where = self.said(urljoin(str(asked.url), location) if location else "an address that it does not name")
            raise AskError(
                f"the server answered {response.status_code}: it sends on to {where}, which is not followed, because "
                f"what is sent could get to anybody; if that is where the API is, name it in {servers.named(server)}"
            )
        if response.status_code == 200 and not asked.stream:
            try:
                body = json.loads(response.http_response.content)
            except (ValueError, RecursionError) as error:
                why = self.said(error)
                raise Unreached(f"the server's reply is no JSON ({why}); is {servers.named(server)} an API?") from None
            if isinstance(body, dict) and "content" not in body and (said := message(body)):
                raise AskError(f"the server answered 200, and an error within: {self.said(said)}")


def dialect(output: type[Output]) -> dict[str, Any]:
    """Return an output's schema in the dialect of the API."""
    from anthropic import transform_schema  # noqa: PLC0415

    return transform_schema(output)


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


def message(body: object) -> str:
    """Return what a server says of an error, wherever one puts it: as the API does, or as other servers do."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or body.get("message") or body.get("detail") or ""
    return message(error) if isinstance(error, dict) else str(error)


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
