"""Keep what was worked out, beside the journal, by a digest of all that it came of.

    .cache/errorspan/pages.kept/<topic>/<key>   a digest of the rest, how long its head is, its head and body, packed

What stands there is a cache: it may be deleted at any time, and what is damaged, foreign or half written counts as not
there. It is data, never code, and no name comes from it. Whoever can write it can write into pages, so it is not to be
taken from strangers.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from errorspan.text import disk
from errorspan.text.errors import InputError

FOLDER = ".cache/errorspan/pages.kept"
"""Below the course's root. A dot is in no topic's id, so no journal stands there."""

LARGEST = 64 * 2**20
"""Bytes of what is unpacked; more is no topic's."""
VERSIONS = 3
"""How many of a topic are kept: of other branches, and of `serve` beside `build`."""
FORGOTTEN = 30 * 24 * 3600
"""Seconds after which what a course has no topic for is taken away."""

_DIGEST, _LENGTH = 32, 4
_NAME = re.compile(r"[a-z0-9-]{1,80}")
_KEY = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """What was worked out of each topic. Where nothing can be written, nothing is kept."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        try:
            disk.below(root, self._folder, FOLDER)
        except InputError:  # a link leads there
            self._usable = False
        else:
            self._usable = True

    def head(self, topic: str, key: str) -> bytes | None:
        """Return the first of two parts that are kept; None where they are not, or not whole."""
        found = self._read(topic, key)
        return _unpacked(found[0]) if found else None

    def body(self, topic: str, key: str) -> bytes | None:
        """Return the second part."""
        found = self._read(topic, key)
        return _unpacked(found[1]) if found else None

    def put(self, topic: str, key: str, head: bytes, body: bytes) -> bool:
        """Keep two parts; tell whether that was possible."""
        parts = zlib.compress(head, 1), zlib.compress(body, 1)
        content = len(parts[0]).to_bytes(_LENGTH) + b"".join(parts)
        folder = self._folder / topic
        path = folder / key
        if not self._usable or folder.is_symlink():
            return False
        half = folder / f".{key}.{os.getpid()}{disk.HALF}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with half.open("xb") as file:
                file.write(_digest(topic, key, content) + content)
            half.replace(path)  # whole, or not at all; nothing is lost where the system ends before it is on the disk
        except OSError:
            with suppress(OSError):
                half.unlink()
            return False
        self._prune(folder)
        return True

    def forget(self, known: Collection[str]) -> None:
        """Take away what was kept long ago of topics that are not known any more."""
        if self._usable:
            for entry in _listed(self._folder):
                if entry.name not in known and entry.is_dir(follow_symlinks=False) and _age(entry) > FORGOTTEN:
                    shutil.rmtree(entry.path, ignore_errors=True)

    def keys(self, topic: str) -> list[str]:
        """Return under which keys something of a topic is kept."""
        return sorted(entry.name for entry in _listed(self._folder / topic) if _KEY.fullmatch(entry.name))

    def _read(self, topic: str, key: str) -> tuple[bytes, bytes] | None:
        if not self._usable or not _NAME.fullmatch(topic) or not _KEY.fullmatch(key):
            return None
        folder = self._folder / topic
        try:
            if folder.is_symlink():
                return None
            handle = os.open(folder / key, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with open(handle, "rb") as file:  # noqa: PTH123 - what was opened without following a link
                read = file.read(LARGEST + 1)
        except OSError:
            return None
        digest, content = read[:_DIGEST], read[_DIGEST:]
        if len(read) > LARGEST or digest != _digest(topic, key, content):
            return None
        length = _LENGTH + int.from_bytes(content[:_LENGTH])
        return content[_LENGTH:length], content[length:]

    def _prune(self, folder: Path) -> None:
        """Leave the youngest of a topic; what is half written is left to whoever writes it, for a while."""
        oldest = sorted(_listed(folder), key=_age)
        kept = [entry for entry in oldest if _KEY.fullmatch(entry.name)]
        halves = [entry for entry in oldest if entry.name.endswith(disk.HALF) and _age(entry) > FORGOTTEN]
        for entry in (*kept[VERSIONS:], *halves):
            with suppress(OSError):
                os.unlink(entry)  # noqa: PTH108 - what was listed


def _digest(topic: str, key: str, content: bytes) -> bytes:
    """Return what tells that content is whole, and that it was kept under this name."""
    return sha256(b"\0".join((topic.encode(), key.encode(), content))).digest()


def _unpacked(packed: bytes) -> bytes | None:
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, LARGEST)
    except zlib.error:
        return None
    return content if unpacking.eof else None


def _listed(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as found:
        yield from found


def _age(entry: os.DirEntry[str]) -> float:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0
