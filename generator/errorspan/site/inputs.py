"""Say by one digest all that reaches the pages of a topic: what is the same makes the same pages.

It is over what files hold, never over when they were saved. What is made anew in each build is not in it: the theme,
the navigation, a site's address, the lists, and what a topic's neighbours are.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from errorspan.authoring.settings import in_pull_request
from errorspan.authoring.topics import dropped
from errorspan.course import Course
from errorspan.site.pages import Making
from errorspan.text import disk
from errorspan.text.errors import InputError

PACKAGE = Path(__file__).parent.parent
FORMAT = 1
"""Of what is kept."""
NEIGHBOURS = {"modules"}
"""Settings that reach no page of a single topic."""


class Inputs:
    """What reaches the pages of a course's topics, as it is now.

    `markdown` says how a site's pages are read, where they are kept as they are read.
    """

    def __init__(self, course: Course, making: Making, markdown: Any = None) -> None:
        self._course = course
        self._root = course.root
        self._topics = course.settings.topics
        shared = {
            "format": FORMAT,
            "generator": generator(),
            "installed": installed(),
            "python": sys.version,
            "settings": course.settings.model_dump(mode="json", exclude=NEIGHBOURS),
            "making": [making.language, making.index, making.drafts],
            "pull request": in_pull_request(),
            "markdown": markdown,
        }
        self._shared = sha256(json.dumps(shared, sort_keys=True, default=_named).encode()).digest()

    def key(self, topic: str) -> str | None:
        """Return the digest of all that reaches a topic's pages; None where nothing may be kept of it.

        So it is where a link or something else than a file stands among its files: reading it says what is wrong. So it
        is, too, where replies wait in its journal.
        """
        if not self._sound or self._waits(topic):
            return None
        digest = sha256(self._shared)
        try:
            for name, path in self._files(topic):
                with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a third of the time, of thousands
                    content = file.read()
                for part in (name.encode("utf-8", "surrogateescape"), content):
                    digest.update(len(part).to_bytes(8) + part)
        except OSError:
            return None
        return digest.hexdigest()

    @cached_property
    def _sound(self) -> bool:
        try:
            for folder in (f"{self._topics}/runs", ".cache/errorspan"):
                disk.below(self._root, self._root / folder, folder)
        except InputError:
            return False
        return True

    @cached_property
    def _beside(self) -> dict[str, list[os.DirEntry[str]]]:
        """Return what stands in the folder of topics, by topic."""
        found: defaultdict[str, list[os.DirEntry[str]]] = defaultdict(list)
        with os.scandir(self._root / self._topics) as entries:
            for entry in entries:
                if not dropped(entry.name):
                    found[entry.name.partition(".")[0]].append(entry)
        return found

    @cached_property
    def _journals(self) -> set[str]:
        return set(_names(self._root / ".cache" / "errorspan"))

    def _waits(self, topic: str) -> bool:
        """Tell whether replies were received that are not in the record yet."""
        folder = self._root / ".cache" / "errorspan" / topic
        return topic in self._journals and any(name.endswith(".json") for name in _names(folder))

    def _files(self, topic: str) -> Iterator[tuple[str, str]]:
        for entry in sorted(self._beside.get(topic, ()), key=lambda entry: entry.name):
            if entry.name != "runs":
                yield _plain(entry, entry.name)
        yield from _below(str(self._root / self._topics / "runs" / topic), "runs")


def generator() -> str:
    """Return a digest of the generator: its code, its templates, its prompts, and what it puts into a site."""
    digest = sha256()
    for folder, folders, names in os.walk(PACKAGE):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = Path(folder, name)
            content = path.read_bytes()
            for part in (path.relative_to(PACKAGE).as_posix().encode(), content):
                digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def installed() -> list[str]:
    """Return what is installed beside it, each with its version, as the names of folders say."""
    return sorted({
        name for folder in sys.path for name in _names(Path(folder)) if name.endswith((".dist-info", ".egg-info"))
    })  # fmt: skip


def _below(folder: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the files below a folder, in order.

    Raises:
        OSError: something else than files and folders stands there.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{name}/{entry.name}")
        else:
            yield _plain(entry, f"{name}/{entry.name}")


def _plain(entry: os.DirEntry[str], name: str) -> tuple[str, str]:
    if not entry.is_file(follow_symlinks=False):
        raise OSError(f"{name} is no file")
    return name, entry.path


def _names(folder: Path) -> Iterable[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is wanted, of thousands
    except OSError:
        return ()


def _named(thing: Any) -> str:
    """Say what an option is that is no plain value: a function or a class, by its name."""
    name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
    return name if name != "." else repr(thing)
