"""Keep answers on disk: the record that is committed, and the journal of replies beside it.

    topics/runs/<id>/                 the record: one file an answer, and run.json, which says where each came from
    .cache/errorspan/<id>/            the journal: replies that are not in the record yet, each written as it arrives
    .cache/errorspan/<id>/rejected/   replies that did not count, with what was wrong with them

A reply goes to the journal before anything else happens to it, and leaves it when it is in the record. So a process may
be killed at any moment: what was received is found again, in the record or in the journal, and is not asked for twice.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout
from pydantic import ValidationError

from generator.errors import Busy, InputError
from generator.manifest import FORMAT, SUPERSEDED, Entry, Manifest, Recorded, Rejected, Reply, digest
from generator.outputs import faults as faults_of
from generator.prompting import CHAIN, Request


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
        return self._read_manifest()

    def find(self, file: str) -> Recorded | None:
        """Return the answer in a file of the record, if it is there.

        What the manifest does not know, or knows by another digest, was written by a person.
        """
        try:
            text = self._own(file).read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError([f"{self.name}/{file}:1: cannot be read ({error})"]) from None
        entry = self.manifest.answers.get(file)
        if entry is None or entry.digest != digest(text):
            entry = self._read_manifest().answers.get(file)  # another process may have written since
        if entry is None:
            return Recorded(file, text, Entry(origin="authored", digest=digest(text)))
        if entry.digest != digest(text):
            changed = entry.model_copy(update={"origin": "authored", "digest": digest(text)})
            return Recorded(file, text, changed, edited=entry.model is not None)
        return Recorded(file, text, entry, edited=entry.edited is not None)

    def received(self, request: Request) -> Reply | None:
        """Return a reply that was received before and is not in the record yet."""
        try:
            return Reply.model_validate_json(self._journaled(request).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def receive(self, request: Request, reply: Reply) -> None:
        """Put a reply on disk, as it arrives."""
        _write(self._journaled(request), reply.model_dump_json(indent=2))

    def keep(self, file: str, text: str, entry: Entry) -> Recorded:
        """Put an answer into the record, and what it was read from out of the journal."""
        with self._writing:
            if self.manifest.answers.get(file) != entry:  # it is the same where a process was killed just here
                self._supersede(file)
            self.manifest.answers[file] = entry
            self._write_manifest()
            _write(self._own(file), text)
            self._clear(entry)
        return Recorded(file, text, entry)

    def drop(self, rejected: Sequence[Rejected], request: Request) -> None:
        """Give a chain of replies up that led to no answer, so that the next run asks anew."""
        with self._writing:
            self.manifest.discarded += rejected
            self._write_manifest()
            for path in sorted(self.journal.glob(f"{request.chain}.*.json")):
                _move(path, self.journal / "rejected", path.name)

    def discard(self, folder: str) -> None:
        """Set a folder of answers aside that are no part of the run any more."""
        with self._writing:
            for path in sorted(self._own(folder).glob("*")):
                self._supersede(f"{folder}/{path.name}")
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
        if self.journal.is_symlink():
            raise InputError([f"{self.name}:1: cannot be written ({self.journal} is a link)"])
        self.journal.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.journal.with_suffix(".lock"), timeout=-1 if wait else 0):
                self.manifest = self._read_manifest()
                for file, entry in self.manifest.answers.items():
                    if (self.folder / file).exists():
                        self._clear(entry)
                yield
        except Timeout:
            raise Busy(f"another process is writing {self.name}") from None

    def _read_manifest(self) -> Manifest:
        path = self._own("run.json")
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Manifest()
        except OSError as error:
            raise InputError([f"{self.name}/run.json:1: cannot be read ({error.strerror})"]) from None
        except ValidationError as error:
            newer = _newer(path)
            way_out = "restore the file from version control: it says where answers came from and what they cost"
            broken = [f"{fault} ({way_out})" for fault in faults_of(error)]
            faults = [f"was written by a newer version (format {newer})"] if newer else broken
            raise InputError(f"{self.name}/run.json:1: {fault}" for fault in faults) from None
        if manifest.format > FORMAT:
            raise InputError([f"{self.name}/run.json:1: was written by a newer version (format {manifest.format})"])
        return manifest

    def _own(self, file: str) -> Path:
        """Return the path of a file of the record, which no link may lead out of it: pages show what stands there."""
        path = self.folder / file
        for part in (path, *path.parents[: file.count("/") + 1]):
            if part.is_symlink():
                raise InputError([f"{self.name}/{file}:1: cannot be read (it is reached by a link)"])
        return path

    def _write_manifest(self) -> None:
        shown = self.manifest.model_dump(mode="json", exclude_none=True)
        _write(self.folder / "run.json", json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False) + "\n")

    def _journaled(self, request: Request) -> Path:
        return self.journal / f"{request.chain}.{request.key}.json"

    def _clear(self, entry: Entry) -> None:
        """Take replies out of the journal that led to an answer which is in the record; rejected ones are set aside."""
        if entry.key:
            replies = sorted(self.journal.glob(f"{entry.key[:CHAIN]}.*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in replies[:-1]:
                _move(path, self.journal / "rejected", path.name)
            for path in replies[-1:]:
                path.unlink()

    def _supersede(self, file: str) -> None:
        """Set an answer aside; what it cost stays in the manifest."""
        if (self.folder / file).exists():
            _move(self.folder / file, self.journal / "superseded", file)
        old = self.manifest.answers.pop(file, None)
        if old:
            self.manifest.discarded += old.rejected
        if old and old.model and old.usage and old.at and old.seconds is not None:
            self.manifest.discarded.append(
                Rejected(
                    file=file,
                    model=old.model,
                    stop_reason=old.stop_reason,
                    usage=old.usage,
                    at=old.at,
                    seconds=old.seconds,
                    faults=[SUPERSEDED],
                )
            )


def _newer(path: Path) -> int | None:
    try:
        found = json.loads(path.read_bytes())["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, int) and found > FORMAT else None


def _move(path: Path, folder: Path, name: str) -> None:
    """Move a file to a name that is free; the folder may be on another file system."""
    target, number = folder / name, 1
    target.parent.mkdir(parents=True, exist_ok=True)
    while target.exists():
        number += 1
        target = folder / f"{name}.{number}"
    shutil.move(path, target)


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
