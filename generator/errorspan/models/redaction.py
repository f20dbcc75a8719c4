"""Take secrets out of what others say: a server may repeat what it was sent, and the SDK logs it all when told to."""

from __future__ import annotations

import logging
import os
import re
from base64 import b64encode
from collections.abc import Collection, Iterator
from urllib.parse import unquote, urlsplit

SHORTEST = 12
"""Local servers take any key, such as `none` or `lm-studio`: a word, which answers may hold too. A secret is longer."""

REDACTED = "[secret]"

_USER = re.compile(r"(?<=://)[^/\s@'\"]+(?=@)")


def redacted(text: str, variables: Collection[str]) -> str:
    """Return a message without the secrets of this environment, and without the user of any address.

    `variables` name those that hold keys.
    """
    text = without_secrets(text, variables)
    return _USER.sub(REDACTED, text) if "@" in text else text


def without_secrets(text: str, variables: Collection[str]) -> str:
    """Return an answer without the secrets of this environment; all else stays word for word."""
    secrets = (secret for secret in _secrets(variables) if len(secret) >= SHORTEST)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


def sent_along() -> Iterator[tuple[str, str]]:
    """Yield the headers, by name and value, that the SDK adds to each request for a proxy's sake."""
    for header in os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").splitlines():
        name, _, value = header.partition(":")
        yield name.strip(), value.strip()


def _secrets(variables: Collection[str]) -> Iterator[str]:
    """Yield keys, the values of headers that are sent along, and the user of the server's address as it is sent."""
    yield from (os.environ.get(name, "") for name in variables)
    yield from (value for _, value in sent_along())
    try:
        user, at, _ = urlsplit(os.environ.get("ANTHROPIC_BASE_URL", "")).netloc.rpartition("@")
    except ValueError:
        return
    if at:
        name, _, password = map(unquote, user.partition(":"))
        yield from (user, name, password, b64encode(f"{name}:{password}".encode()).decode())


class Redactor(logging.Filter):
    """Take secrets out of log records, the SDK's above all."""

    def __init__(self, variables: Collection[str]) -> None:
        super().__init__()
        self._variables = variables

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its message written out."""
        record.msg, record.args = redacted(record.getMessage(), self._variables), ()
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info), self._variables)
        return True
