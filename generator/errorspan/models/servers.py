"""Reach a server, with its own key and no other: what the SDK finds in the environment is for Anthropic's alone."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from errorspan.authoring.tiers import KEY_VARIABLES, Server
from errorspan.models.redaction import sent_along
from errorspan.text.errors import AskError

STILL_SENDING = "was still sending after"
"""What the transport's error says where a reply was not at its end in time."""

_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}
_OF_PROXIES = re.compile(r"prox|SOCKS|URL|port", re.IGNORECASE)

_SENT = re.compile(
    "accept|accept-encoding|anthropic-version|connection|content-(length|type)|host|user-agent|x-stainless-.*"
)
"""The headers that a server of the site's own gets, beside its key; the SDK itself reads its last ones again."""


def own(server: Server | None) -> dict[str, Any]:
    """Return the arguments of a client of the SDK for one server; for Anthropic's, the SDK finds them by itself.

    Raises:
        AskError: the key is not there, or holds what no key has.
    """
    if server and server.key_env and not os.environ.get(server.key_env):
        raise AskError(f"no key: {server.key_env} is not set")
    for name in _variables(server):  # else the transport would say so, with the key in its message
        if not all("!" <= character <= "~" for character in os.environ.get(name, "")):
            raise AskError(f"the key in {name} holds a line break or another character that no key has")
    # Where it is given no key, the SDK takes one from elsewhere.
    return {"base_url": server.base_url, "api_key": _key(server) or "none"} if server else {}


def hooks(server: Server | None, seconds: float) -> dict[str, list[Any]]:
    """Return what happens to each request before it leaves, and to each response before it is read."""
    return {"request": [_only(_key(server))] if server else [], "response": [_until(seconds)]}


def named(server: Server | None) -> str:
    """Return which setting names a server's address."""
    return "base_url" if server else "ANTHROPIC_BASE_URL"


def sought(server: Server | None, address: str) -> str:
    """Return the host of an address, and what has set it, where that is not the SDK."""
    host = urlsplit(address).hostname or address.rstrip("/")
    return f"{host} ({named(server)})" if server or os.environ.get("ANTHROPIC_BASE_URL") else host


def proxy(address: str) -> str | None:
    """Return the proxy that requests to an address go by, without its user, and the variable that names it."""
    url = urlsplit(address)
    for variable in (name for scheme in (url.scheme, "all") for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper())):
        if value := os.environ.get(variable):
            found = urlsplit(value if "://" in value else f"http://{value}").netloc.rpartition("@")[2]
            return None if proxy_bypass(url.hostname or "") else f"the proxy {found} ({variable})"
    return None


def trusted() -> str:
    """Say which certificates are trusted, or how to name others."""
    for variable in _TRUST:
        if value := os.environ.get(variable):
            return f"trusted is what {value} holds ({variable})"
    return f"where a proxy reads along, name the file of its certificates in {_TRUST[0]}"


def unstarted(error: Exception) -> str:
    """Name the variable that keeps a client from starting, where one does; with a blank behind it."""
    if isinstance(error, OSError):
        named = (f"{variable} names {value!r}: " for variable in _TRUST if (value := os.environ.get(variable)))
        return next(named, "")
    proxies = sorted(variable for variable in os.environ if variable.lower() in _PROXIES and os.environ[variable])
    return f"{' or '.join(proxies)} names what is no proxy here: " if proxies and _OF_PROXIES.search(str(error)) else ""


def hint(status: int, server: Server | None) -> str:
    """Say what a status means for who has set the server up, in brackets; nothing where its own words are enough."""
    key = server.key_env if server else KEY_VARIABLES[0]
    hints = {
        401: f"the key in {key} is not accepted" if key else "it wants a key: name the variable that holds it, key_env",
        403: "the key may not use this model",
        404: f"the model, or the server's address in {named(server)}, is not known",
    }
    return f" ({hints[status]})" if status in hints else ""


def _variables(server: Server | None) -> tuple[str, ...]:
    if server is None:
        return KEY_VARIABLES
    return (server.key_env,) if server.key_env else ()


def _key(server: Server) -> str:
    return os.environ.get(server.key_env, "") if server.key_env else ""


def _only(key: str) -> Any:
    """Return a hook that leaves a request this key, or none, and no header of ANTHROPIC_CUSTOM_HEADERS."""

    def keep(request: Any) -> None:
        others = {name.lower() for name, _ in sent_along()}
        for name in map(str.lower, list(request.headers)):
            if name in others or not _SENT.fullmatch(name):
                del request.headers[name]
        if key:
            request.headers["authorization"] = f"Bearer {key}"

    return keep


def _until(seconds: float) -> Any:
    """Return a hook that has a reply read to its end in time: the transport only knows of silences."""
    from httpx2 import ReadTimeout, SyncByteStream  # noqa: PLC0415

    def bound(response: Any) -> None:
        sent, until = response.stream, time.monotonic() + seconds

        class InTime(SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                for part in sent:
                    if time.monotonic() > until:
                        raise ReadTimeout(STILL_SENDING)
                    yield part

            def close(self) -> None:
                sent.close()

        response.stream = InTime()

    return bound
