"""Take secrets out of what others say: a server may repeat what it was sent, and the SDK logs it all when told to."""

from __future__ import annotations

import logging
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from errorspan.authoring.settings import KEY_VARIABLES

SHORTEST = 12
"""Local servers take any key, such as `none` or `lm-studio`: a word, which answers may hold too. A secret is longer."""

REDACTED = "[secret]"

_USER = re.compile(r"(?<=://)[^/\s@'\"]+(?=@)")


def redacted(text: str) -> str:
    """Return a message without the secrets of this environment, and without the user of any address."""
    text = without_secrets(text)
    return _USER.sub(REDACTED, text) if "@" in text else text


def without_secrets(text: str) -> str:
    """Return an answer without the secrets of this environment; all else stays word for word."""
    for secret in sorted(filter(lambda found: len(found) >= SHORTEST, _secrets()), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


def _secrets() -> Iterator[str]:
    """Yield keys, the values of headers that are sent along, and the user of the server's address as it is sent."""
    yield from (os.environ.get(name, "") for name in KEY_VARIABLES)
    for header in os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").splitlines():
        yield header.partition(":")[2].strip()
    try:
        user, at, _ = urlsplit(os.environ.get("ANTHROPIC_BASE_URL", "")).netloc.rpartition("@")
    except ValueError:
        return
    if at:
        name, _, password = map(unquote, user.partition(":"))
        yield from (user, name, password, b64encode(f"{name}:{password}".encode()).decode())


class Redactor(logging.Filter):
    """Take secrets out of log records, the SDK's above all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its message written out."""
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True
