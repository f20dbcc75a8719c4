"""Keep answers on disk: the record that is committed, and the journal of replies beside it.

    topics/runs/<id>/                 the record: one file an answer, and run.json, which says where each came from
    .cache/errorspan/<id>/            the journal: replies that are not in the record yet, each written as it arrives
    .cache/errorspan/<id>/rejected/   replies that did not count, with what was wrong with them

A reply goes to the journal before anything else happens to it, and leaves it when it is in the record. So a process may be
killed at any moment: what was received is found again, in the record or in the journal, and is not asked for twice.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.errors import Busy, InputError
from generator.outputs import faults as faults_of
from generator.prices import Usage
from generator.prompting import Request

FORMAT = 1


class Reply(BaseModel):
    """What came back for one request, word for word."""

    model_config = ConfigDict(frozen=True)

    text: str
    model: str
    stop_reason: str | None
    stop_detail: str | None = None
    usage: Usage
    asked_at: str = Field(description="UTC, ISO 8601, to the second")
    seconds: float


class Rejected(BaseModel):
    """A reply that did not count, and why; its words stay in the journal's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    stop_reason: str | None
    usage: Usage
    asked_at: str
    seconds: float
    faults: list[str]


class Entry(BaseModel):
    """What run.json says of one answer. An `authored` one has no model, no key, no tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Literal["model", "authored"]
    digest: str
    at: str | None = None
    key: str | None = None
    model: str | None = None
    seconds: float | None = None
    usage: Usage | None = None
    stop_reason: str | None = None
    pipeline: str | None = None
    rejected: list[Rejected] = []


class Manifest(BaseModel):
    """run.json: where each file of the record came from."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    note: str | None = None
    answers: dict[str, Entry] = {}


@dataclass(frozen=True)
class Recorded:
    """An answer as it stands on disk. `edited`: a person changed it after a model wrote it."""

    file: str
    text: str
    entry: Entry
    edited: bool = False


class Record:
    """The record of one topic. `name` is its folder as messages and pages name it."""

    def __init__(self, name: str, folder: Path, journal: Path) -> None:
        self.name = name
        self.folder = folder
        self.journal = journal
        self._writing = Lock()

    @cached_property
    def manifest(self) -> Manifest:
        """Return what run.json says; empty where there is none.

        Raises:
            InputError: it is corrupt, or of a newer format.
        """
        path = self.folder / "run.json"
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Manifest()
        except OSError as error:
            raise InputError([f"{self.name}/run.json:1: cannot be read ({error.strerror})"]) from None
        except ValidationError as error:
            newer = _newer(path)
            faults = [f"was written by a newer version (format {newer})"] if newer else faults_of(error)
            raise InputError(f"{self.name}/run.json:1: {fault}" for fault in faults) from None
        if manifest.format > FORMAT:
            raise InputError([f"{self.name}/run.json:1: was written by a newer version (format {manifest.format})"])
        return manifest

    def forget(self) -> None:
        """Read run.json again: another process may have written."""
        self.__dict__.pop("manifest", None)

    def find(self, file: str) -> Recorded | None:
        """Return the answer in a file of the record, if it is there.

        What the manifest does not know, or knows by another digest, was written by a person.
        """
        try:
            text = (self.folder / file).read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError([f"{self.name}/{file}:1: cannot be read ({error})"]) from None
        entry = self.manifest.answers.get(file)
        if entry is None:
            return Recorded(file, text, Entry(origin="authored", digest=digest(text)))
        if entry.digest != digest(text):
            edited = entry.model_copy(update={"origin": "authored", "digest": digest(text)})
            return Recorded(file, text, edited, edited=entry.origin == "model")
        return Recorded(file, text, entry)

    def received(self, request: Request) -> Reply | None:
        """Return a reply that was received before and is not in the record yet."""
        try:
            return Reply.model_validate_json((self.journal / f"{request.key}.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def receive(self, request: Request, reply: Reply) -> None:
        """Put a reply on disk, as it arrives."""
        _write(self.journal / f"{request.key}.json", reply.model_dump_json(indent=2))

    def keep(self, file: str, text: str, entry: Entry, chain: Sequence[tuple[Request, Reply]] = ()) -> Recorded:
        """Put an answer into the record; the last of the chain is the reply it was read from."""
        with self._writing:
            path = self.folder / file
            if path.exists():
                path.replace(_fresh(self.journal / "superseded", file))
            self.manifest.answers[file] = entry
            self._write_manifest()
            _write(path, text)
        self.drop(chain[:-1])
        for request, _ in chain[-1:]:
            (self.journal / f"{request.key}.json").unlink(missing_ok=True)
        return Recorded(file, text, entry)

    def drop(self, chain: Sequence[tuple[Request, Reply]]) -> None:
        """Set replies that did not count aside, so that the next run asks anew."""
        for request, _ in chain:
            path = self.journal / f"{request.key}.json"
            if path.exists():
                path.replace(_fresh(self.journal / "rejected", f"{request.step}-{request.key[:12]}.json"))

    def discard(self, folder: str) -> None:
        """Set a folder of answers aside that are no part of the run any more."""
        with self._writing:
            for path in sorted((self.folder / folder).glob("*")):
                path.replace(_fresh(self.journal / "superseded", f"{folder}/{path.name}"))
                self.manifest.answers.pop(f"{folder}/{path.name}", None)
            (self.folder / folder).rmdir()
            self._write_manifest()

    def declare(self, file: str, entry: Entry) -> None:
        """Say of a file that stands in the record where it came from."""
        with self._writing:
            self.manifest.answers[file] = entry
            self._write_manifest()

    def annotate(self, note: str | None) -> None:
        """Set the remark that stands at the top of the run's page."""
        with self._writing:
            self.manifest.note = note
            self._write_manifest()

    @property
    def pending(self) -> bool:
        """Tell whether replies were received that are not in the record yet."""
        return any(self.journal.glob("*.json"))

    @contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[None]:
        """Be the only process that writes this record; wait for another one to finish.

        Raises:
            Busy: another process writes it, and it is not waited for.
        """
        self.journal.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.journal.with_suffix(".lock"), timeout=-1 if wait else 0):
                self.forget()
                _ = self.manifest
                yield
        except Timeout:
            raise Busy(f"another process is writing {self.name}") from None

    def _write_manifest(self) -> None:
        shown = self.manifest.model_dump(mode="json", exclude_none=True)
        _write(self.folder / "run.json", json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def digest(text: str) -> str:
    """Return a SHA-256 of a text, whatever line ends a checkout gave it."""
    return sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def authored(recorded: Recorded, *, at: str, pipeline: str) -> Entry:
    """Return the manifest's entry for an answer that a person wrote."""
    return Entry(origin="authored", digest=digest(recorded.text), at=at, pipeline=pipeline)


def _newer(path: Path) -> int | None:
    try:
        found = json.loads(path.read_bytes())["format"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) and found > FORMAT else None


def _fresh(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{name}.{number}"
    return path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(temporary)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        written.chmod(0o644)
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
