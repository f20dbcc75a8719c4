"""Keep on disk which requests are on their way in a batch, from before it is made until each reply is in a journal.

    .cache/errorspan/<id>/<request>.batch    a request that is on its way: whoever finds it does not ask
    .cache/errorspan-batches/<name>.json     a batch: what it is to hold, and its id, once that is known

The requests are on disk first, then the batch, then it is made, then its id is on disk. A reply is put where its
request stands, and gets its name in the journal; when there are no more of them, the batch goes. So a process may be
killed at any moment: a request without a batch was never sent, and a batch without an id can be looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errorspan.record.manifest import Instant, Reply
from errorspan.record.record import Record
from errorspan.steps.prompting import Request
from errorspan.text import disk
from errorspan.text.errors import InputError

FOLDER = ".cache/errorspan-batches"
JOURNALS = ".cache/errorspan"

_SENT = ".batch"

Place = Annotated[str, Field(pattern=r"^[^/.][^/]*/[0-9a-f]{32}\.[0-9]\.[0-9a-f]{64}$")]
"""Where a reply belongs: its topic, and the name of its request in the journal. Nothing else may be written."""


class Batch(BaseModel):
    """Requests that are sent together: each one's place, by the id that the API tells its result by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Instant
    id: str | None = None
    after: str | None = None
    """The newest batch that the server had before this one."""
    requests: dict[str, Place]

    def __str__(self) -> str:
        """Say how much it holds."""
        count, topics = len(self.requests), len(self.topics)
        return f"{count} {'request' if count == 1 else 'requests'} of {topics} {'topic' if topics == 1 else 'topics'}"

    @property
    def topics(self) -> set[str]:
        """Return the topics whose requests it has."""
        return {place.partition("/")[0] for place in self.requests.values()}


def sent(record: Record, request: Request) -> bool:
    """Tell whether a request is on its way, or about to be."""
    return record.journaled(f"{request.name}{_SENT}").exists()


def send(record: Record, request: Request) -> None:
    """Say that a request is about to be on its way, under its record's lock."""
    if not sent(record, request):
        disk.put(record.journaled(f"{request.name}{_SENT}"), "")


def waits(record: Record) -> bool:
    """Tell whether a record waits for replies that come in a batch."""
    return any(record.journaled().glob(f"*{_SENT}"))


class Outbox:
    """The batches of a course, by their names."""

    def __init__(self, root: Path, record: Callable[[str], Record]) -> None:
        self._root = root
        self._record = record
        self.batches: dict[str, Batch] = {}

    @contextmanager
    def held(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Be the only process that sends batches; `waiting` is called once where another one does.

        Raises:
            InputError: a batch on disk is corrupt.
        """
        place = self._own(f"{FOLDER}.lock")
        lock = FileLock(place, timeout=0)
        with disk.writing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout:
                waiting()
                lock.acquire(timeout=-1)
        try:
            self.batches = {path.stem: self._read(path) for path in sorted(self._own(FOLDER).glob("*.json"))}
            self._tidy()
            try:
                yield
            finally:
                self._tidy()
        finally:
            lock.release()

    def put(self, name: str, batch: Batch) -> None:
        """Put a batch on disk, whole."""
        disk.put(self._own(f"{FOLDER}/{name}.json"), batch.model_dump_json(indent=2))
        self.batches[name] = batch

    def deliver(self, place: str, reply: Reply) -> None:
        """Put a reply into its journal, if its request still waits for one; once another process lets go of the record.

        Raises:
            InputError: the record is corrupt.
        """
        request = self._request(place)
        if request.exists():
            with self._record(place.partition("/")[0]).locked():
                disk.put(request, reply.model_dump_json(indent=2), ", and the same command fetches what came again")
                self._named(request)

    def release(self, place: str) -> None:
        """Say of a request that no reply comes to it any more."""
        request = self._request(place)
        with disk.writing(request):
            request.unlink(missing_ok=True)

    def close(self, name: str) -> None:
        """Forget a batch whose requests wait no more."""
        path = self._own(f"{FOLDER}/{name}.json")
        with disk.writing(path):
            path.unlink()
        del self.batches[name]

    def _tidy(self) -> None:
        """Finish what a killed process began: what is in no batch was never sent."""
        for half in self._own(FOLDER).glob(f".*{disk.HALF}"):
            with disk.writing(half):
                half.unlink()
        known = {self._request(place) for batch in self.batches.values() for place in batch.requests.values()}
        for request in self._own(JOURNALS).glob(f"*/*{_SENT}"):
            if request not in known and not request.is_symlink():
                if request.stat().st_size:
                    self._named(request)
                else:
                    with disk.writing(request):
                        request.unlink()

    def _named(self, request: Path) -> None:
        with disk.writing(request):
            request.replace(request.with_suffix(".json"))

    def _read(self, path: Path) -> Batch:
        name = path.relative_to(self._root).as_posix()
        with disk.reading(path):
            text = self._own(name).read_bytes()
        try:
            return Batch.model_validate_json(text)
        except ValidationError:
            raise InputError(
                [f"{name}:1: is no batch that Errorspan sent; delete it, and what it held is asked for again"]
            ) from None

    def _request(self, place: str) -> Path:
        topic, _, name = place.partition("/")
        return self._record(topic).journaled(f"{name}{_SENT}")

    def _own(self, name: str) -> Path:
        return disk.below(self._root, self._root / name, name)
