"""Keep answers on disk: the record that is committed, and the journal of replies beside it.

    topics/runs/<id>/                 the record: one file an answer, and run.json, which says where each came from
    .cache/errorspan/<id>/            the journal: replies that are not in the record yet, each written as it arrives;
                                      <first request>.<number of the repair>.<request>.json
    .cache/errorspan/<id>/rejected/   replies that did not count, with what was wrong with them

A reply goes to the journal before anything else happens to it, and leaves it when it is in the record. So a process may
be killed at any moment: what was received is found again, in the record or in the journal, and is not asked for twice.
A disk that is full is found before a reply is paid for: its room is taken before it is asked for.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout
from pydantic import ValidationError

from errorspan.answers.shape import FORMAT, faults_in
from errorspan.record.manifest import Entry, Manifest, Recorded, Rejected, Reply, digest
from errorspan.steps.prompting import CHAIN, Request
from errorspan.text import disk, objects
from errorspan.text.errors import Busy, InputError
from errorspan.text.source import decoded

BYTES_PER_TOKEN = 8
"""How long a reply is that room is made for: text has about four bytes a token, and JSON escapes some."""


class Record:
    """The record of one topic. `name` is its folder as messages and pages name it."""

    def __init__(self, name: str, folder: Path, journal: Path, root: Path | None = None) -> None:
        self.name = name
        self.folder = folder
        self.journal = journal
        self._root = root or folder.parent
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
            text = decoded(self.own(file).read_bytes(), f"{self.name}/{file}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError([f"{self.name}/{file}:1: cannot be read ({error.strerror})"]) from None
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        entry = self.manifest.answers.get(file)
        if entry is None or entry.digest != digest(text):
            entry = self._read_manifest().answers.get(file)  # another process may have written since
        if entry is None:
            return Recorded(file, text, Entry(origin="authored", digest=digest(text)))
        if entry.digest != digest(text):
            changed = entry.model_copy(update={"origin": "authored", "digest": digest(text)})
            return Recorded(file, text, changed, edited=entry.who is not None)
        return Recorded(file, text, entry, edited=entry.edited is not None)

    def received(self, request: Request) -> Reply | None:
        """Return a reply that was received before and is not in the record yet."""
        try:
            return Reply.model_validate_json(self._journaled(request).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    @contextmanager
    def room(self, request: Request) -> Iterator[Callable[[Reply], None]]:
        """Hold the disk space that the reply will need; give the function that puts it there.

        Raises:
            DiskError: there is not so much.
        """
        with ExitStack() as held:
            with disk.writing(self.journal, ", and an answer that has no room is not asked for"):
                file = held.enter_context(tempfile.TemporaryFile(dir=self.journaled()))
                file.write(bytes(request.max_tokens * BYTES_PER_TOKEN))
                file.flush()
                os.fsync(file.fileno())

            def receive(reply: Reply) -> None:
                held.close()
                self.receive(request, reply)

            yield receive

    def receive(self, request: Request, reply: Reply) -> None:
        """Put a reply on disk, as it arrives.

        Raises:
            DiskError: it could not be written, and is lost.
        """
        lost = ", and a reply that was paid for is lost with it"
        disk.put(self._journaled(request), reply.model_dump_json(indent=2), lost)

    def keep(self, file: str, text: str, entry: Entry) -> Recorded:
        """Put an answer into the record, and what it was read from out of the journal."""
        with self._writing:
            if self.manifest.answers.get(file) != entry:  # it is the same where a process was killed just here
                self._supersede(file)
            self.manifest.answers[file] = entry
            self._write_manifest()
            disk.put(self.own(file), text)
            self._clear(entry)
        return Recorded(file, text, entry)

    def begin(self, manifest: Manifest, files: Mapping[str, bytes]) -> None:
        """Put a whole record where there is none yet, or nothing of it.

        Raises:
            InputError: there is one, or replies that had come for one.
        """
        with self._writing:
            if self.pending:
                raise InputError([f"{self.name}:1: replies that have come wait for it: `errorspan run` takes them in"])
            if self.own("").exists() and any(self.folder.iterdir()):
                raise InputError(
                    [f"{self.name}:1: holds files already, and nothing is overwritten: move it away first"]
                )
            self.manifest = manifest
            disk.put_all(self.folder, {**files, "run.json": self._manifest_shown().encode()})

    def drop(self, rejected: Sequence[Rejected], request: Request) -> None:
        """Give a chain of replies up that led to no answer, so that the next run asks anew."""
        with self._writing:
            self.manifest.discarded += rejected
            self._write_manifest()
            for path in self._chained(request.chain):
                self._set_aside(path, "rejected", path.name)

    def discard(self, folder: str) -> None:
        """Set a folder of answers aside that are no part of the run any more."""
        with self._writing:
            for path in sorted(self.own(folder).glob("*")):
                self._supersede(f"{folder}/{path.name}")
            with disk.writing(self.own(folder)):
                self.own(folder).rmdir()
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
        return any(self.journaled().glob("*.json"))

    @contextmanager
    def locked(self, wait: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Be the only process that writes this record; wait for another one to finish, as long as `wait()` is true.

        Raises:
            Busy: another process writes it, and it is not waited for.
            DiskError: this one cannot write it.
        """
        self.own("")
        self.journaled()
        place = self.journal.with_suffix(".lock")
        lock = FileLock(disk.below(self._root, place, str(place)), timeout=0.2)
        with disk.writing(self.journal):
            self.journal.mkdir(parents=True, exist_ok=True)
            while not lock.is_locked:
                try:
                    lock.acquire()
                except Timeout:
                    if not wait():
                        raise Busy(f"another process is writing {self.name}") from None
        try:
            self._tidy()
            yield
        finally:
            lock.release()

    def _read_manifest(self) -> Manifest:
        path = self.own("run.json")
        text = b""
        try:
            manifest = objects.validated(Manifest, text := path.read_bytes())
        except FileNotFoundError:
            return Manifest()
        except OSError as error:
            raise InputError([f"{self.name}/run.json:1: cannot be read ({error.strerror})"]) from None
        except ValidationError as error:
            if newer := _newer(path):
                raise InputError([f"{self.name}/run.json:1: {_told_newer(newer)}"]) from None
            way_out = "restore the file from version control: it says where answers came from and what they cost"
            raise InputError(faults_in(f"{self.name}/run.json", error, way_out, text, Manifest)) from None
        if manifest.format > FORMAT:
            raise InputError([f"{self.name}/run.json:1: {_told_newer(manifest.format)}"])
        return manifest

    def has(self, file: str) -> bool:
        """Tell whether there is an answer of this name, whatever it holds."""
        return (self.folder / file).exists()

    def own(self, file: str) -> Path:
        """Return the path of a file of the record, which no link may lead out of it: pages show what stands there."""
        path = disk.below(self._root, self.folder / file, f"{self.name}/{file}".rstrip("/"))
        if disk.waits(path):
            raise InputError([f"{self.name}/{file}:1: cannot be read (it is no file)"])
        return path

    def journaled(self, file: str = "") -> Path:
        """Return the path of a file of the journal, or its folder, which no link may lead out of either."""
        return disk.below(self._root, self.journal / file, str(self.journal / file))

    def _write_manifest(self) -> None:
        disk.put(self.own("run.json"), self._manifest_shown())

    def _manifest_shown(self) -> str:
        self.manifest.format = FORMAT
        shown = self.manifest.model_dump(mode="json", exclude_none=True)
        return json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def _journaled(self, request: Request) -> Path:
        return self.journaled(f"{request.name}.json")

    def _chained(self, chain: str) -> list[Path]:
        """Return the replies of a chain of repairs, in the order of their requests: clocks may go backwards."""
        return sorted(self.journaled().glob(f"{chain}.*.json"))

    def _clear(self, entry: Entry) -> None:
        """Take replies out of the journal that led to an answer which is in the record; rejected ones are set aside."""
        replies = self._chained(entry.key[:CHAIN]) if entry.key else []
        for path in replies[:-1]:
            self._set_aside(path, "rejected", path.name)
        for path in replies[-1:]:
            with disk.writing(path):
                path.unlink()

    def _tidy(self) -> None:
        """Finish what a killed process began."""
        self.manifest = self._read_manifest()
        for file, entry in self.manifest.answers.items():
            if self.own(file).exists():
                self._clear(entry)
        for folder in (self.folder, self.journal):
            for path in folder.rglob(f".*{disk.HALF}"):
                with disk.writing(path):
                    path.unlink()
        disk.clear_half(self.folder)

    def _set_aside(self, path: Path, folder: str, name: str) -> None:
        """Move a file to a folder of the journal."""
        self.journaled(f"{folder}/{name}")
        disk.move(path, self.journal / folder, name)

    def _supersede(self, file: str) -> None:
        """Set an answer aside; what it cost stays in the manifest."""
        if self.own(file).exists():
            self._set_aside(self.own(file), "superseded", file)
        old = self.manifest.answers.pop(file, None)
        if old:
            self.manifest.discarded += old.rejected
        if old and (kept := old.set_aside(file)):
            self.manifest.discarded.append(kept)


def _told_newer(format_: int) -> str:
    return f"was written by a newer version (format {format_}); install that one: pip install --upgrade errorspan"


def _newer(path: Path) -> int | None:
    try:
        found = json.loads(path.read_bytes())["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, int) and found > FORMAT else None
