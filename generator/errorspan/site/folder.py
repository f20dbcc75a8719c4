"""Write a course's pages into a folder, for another site generator; what is another's there stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from pathspec.gitignore import GitIgnoreSpec

from errorspan.course import Course
from errorspan.site import learning_path
from errorspan.site.links import in_the_way, shown_of
from errorspan.site.pages import assets, render
from errorspan.site.words import language
from errorspan.text import disk
from errorspan.text.errors import Busy, InputError, shown
from errorspan.text.source import Source

LIST = ".errorspan-{}"
"""The list of what a command wrote into a folder: the digests of each file, by its path.

A file that stands there with another digest is somebody else's, or was changed by somebody. While files are being
replaced, the list has the digests before and after; so it holds wherever that is broken off.
"""

LOCK = f"{LIST}.lock"
"""Held while a folder is written: a watch and a command may be at it at once."""

_PATIENCE = 60
"""Seconds that another process is waited for."""

_HIDDEN = (".*", "/templates/")  # what MkDocs leaves out of a site by itself

Content = bytes | Path
"""What a file holds, or the file that it is a copy of."""


class Gathered(NamedTuple):
    """Files by where they go; what of the site was left out, and why; which files are pages that hold answers."""

    files: dict[str, Content]
    left: list[str]
    answers: frozenset[str] = frozenset()


class Written(NamedTuple):
    """How many files a folder holds of ours, and how many of them this time were written and taken away."""

    files: int
    changed: int
    removed: int


def gather(course: Course, site: Source) -> Gathered:
    """Return the site's own docs and every generated page.

    Raises:
        InputError: the docs cannot be read, a file of them is where a page is to be, or a topic or record is not as it
            should be.
    """
    config = site.values
    directory_urls = bool(config.get("use_directory_urls", True))
    runs, spoken = course.replay(), language(config.get("theme"))
    index = "" if directory_urls else "index.html"
    pages = [*render(runs, course.settings, language=spoken, index=index, at_hand=course.at_hand), *assets()]
    made: dict[str, Content] = {page.uri: page.file or page.content.encode() for page in pages}
    path, listing = _data(made.pop(learning_path.FRAGMENT)).decode(), course.settings.exercises_folder
    name = docs_of(config)
    exclude = [*_HIDDEN, *str(config.get("exclude_docs") or "").splitlines()]
    files, left, _ = copied(course.root, site, ("docs_dir",), name, exclude)
    made = {uri: made[uri] for uri in shown_of(made, GitIgnoreSpec.from_lines(exclude))}
    if met := list(in_the_way(made, files, directory_urls=directory_urls)):
        raise InputError(f"{name}/{own}:1: {uri} is generated; this file is in its way" for own, uri in met)
    for uri in [uri for uri in files if uri.endswith(learning_path.PAGES)]:
        data = _data(files[uri])
        filled = learning_path.in_markdown(data, path, uri, listing, directory_urls=directory_urls)
        files[uri] = files[uri] if filled == data else filled
    return Gathered(files | made, left, frozenset(page.uri for page in pages if page.answers and page.uri in made))


def docs_of(config: Mapping[str, Any]) -> str:
    """Return the folder of a site's own docs, from where its configuration stands."""
    return str(config.get("docs_dir") or "docs")


def copied(root: Path, site: Source, place: tuple[str, ...], name: str, exclude: Collection[str] = ()) -> Gathered:
    """Return the files below a folder that a site names, but for those that patterns exclude. Links are not followed.

    Raises:
        InputError: the folder itself lies behind a link, is not there, or cannot be read.
    """
    folder = Path(os.path.normpath(root / name))
    if link := disk.link(root, folder):
        raise InputError([f"{link}:1: is a symbolic link, and none is followed; name the folder that it leads to"])
    hidden = GitIgnoreSpec.from_lines(exclude)
    files: dict[str, Content] = {}
    left: list[str] = []
    with disk.reading(folder):
        if not folder.is_dir():
            raise InputError([site.fault(place, f"expected a folder (got {name!r})")])
        for path in disk.walked(folder):
            uri = path.relative_to(folder).as_posix()
            if hidden.match_file(uri):
                continue
            if path.is_symlink():
                left.append(f"{shown(f'{name}/{uri}')}: is a symbolic link, and none is followed")
            elif path.is_file():
                files[uri] = path
    return Gathered(files, left)


def write(
    directory: Path, files: Mapping[str, Content], sources: Collection[Path] = (), *, by: str = "render"
) -> Written:
    """Make a folder hold these files; replace and take away what was written here before, and nothing else.

    `sources` are folders that the files were made of, and must lie apart. `by` is the command that writes: what another
    wrote is not its own.

    Raises:
        InputError: with everything that is in the way; then nothing was written.
        DiskError: a file could not be written.
        Busy: another process writes there.
    """
    _apart(directory, sources)
    lock = directory / LOCK.format(by)
    new = not lock.exists()
    try:
        with _alone(directory, lock.name):
            return _write(directory, files, by)
    except InputError:
        if new:
            lock.unlink(missing_ok=True)
        raise


def _write(directory: Path, files: Mapping[str, Content], by: str) -> Written:
    record = directory / LIST.format(by)
    listed = _listed(record)
    wanted = {uri: _digest(content) for uri, content in files.items()}
    found = _found(directory, listed, wanted, by)
    for half in directory.glob(f".*{disk.HALF}"):
        if any(half.name.startswith(f".{PurePosixPath(uri).name}.") for uri in (*listed, record.name)):
            half.unlink()
    changed = [uri for uri in wanted if found[uri] != wanted[uri]]
    removed = [uri for uri in listed if uri not in wanted and found[uri]]
    both = {uri: digests for uri in found if (digests := {found[uri], wanted.get(uri)} - {None})}
    if changed or removed:
        _list(record, both)
    for uri in removed:
        _remove(directory, uri)
    for uri in changed:
        data = _data(files[uri])
        if (digest := _digest(data)) != wanted[uri]:  # the source was saved since it was looked at
            wanted[uri] = digest
            both[uri] |= {digest}
            _list(record, both)
        disk.put(directory / uri, data, by_way_of=directory)
    _list(record, {uri: {digest} for uri, digest in wanted.items()})
    return Written(len(wanted), len(changed), len(removed))


def _found(
    directory: Path, listed: Mapping[str, Collection[str]], wanted: Collection[str], by: str
) -> dict[str, str | None]:
    """Return the digest of what stands at each place, None where nothing does.

    Raises:
        InputError: with everything that is in the way.
    """
    found: dict[str, str | None] = {}
    faults: list[str] = []
    for uri in sorted({*listed, *wanted}):
        try:
            found[uri] = _standing(directory, uri)
        except InputError as error:
            faults += error.faults
            continue
        if found[uri] is not None and found[uri] not in listed.get(uri, ()):
            what = "was changed since it was written" if uri in listed else f"was not written by `errorspan {by}`"
            faults.append(f"{directory / uri}:1: {what}, and is in the way; move it away, or delete it")
    if faults:
        raise InputError(faults)
    return found


@contextmanager
def _alone(directory: Path, name: str) -> Iterator[None]:
    path = directory / name
    if path.is_symlink():
        raise InputError([f"{path}:1: is a symbolic link, and none is followed; delete it"])
    lock = FileLock(path)
    with disk.writing(path):
        directory.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise Busy(shown(f"another process is writing {directory}")) from None
    try:
        yield
    finally:
        lock.release()


def _apart(directory: Path, sources: Collection[Path]) -> None:
    if directory.is_symlink():
        raise InputError([f"{directory}:1: is a symbolic link, and none is followed; name the folder that it leads to"])
    here = directory.resolve()
    for source in sources:
        there = source.resolve()
        if here == there or here in there.parents or there in here.parents:
            raise InputError([f"{directory}:1: holds {source}, or lies in it; name a folder apart from what you write"])


def _listed(path: Path) -> dict[str, list[str]]:
    """Return the digests of what was written into a folder, by path."""
    if not path.is_symlink() and not path.exists():
        return {}
    try:
        listed = json.loads("" if path.is_symlink() else path.read_bytes())
        if isinstance(listed, dict) and all(
            _inside(uri) and all(isinstance(digest, str) for digest in listed[uri]) for uri in listed
        ):
            return dict(listed)
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    raise InputError([f"{path}:1: is no list of what was written here; name another folder, or delete what is in this"])


def _inside(uri: str) -> bool:
    parts = PurePosixPath(uri).parts
    return bool(parts) and not {"..", "/"} & {*parts} and not Path(uri).is_absolute()


def _list(path: Path, digests: Mapping[str, Collection[str | None]]) -> None:
    text = json.dumps({uri: sorted(map(str, digests[uri])) for uri in sorted(digests)}, indent=0) + "\n"
    if not path.exists() or _data(path) != text.encode():
        disk.put(path, text)


def _standing(directory: Path, uri: str) -> str | None:
    """Return the digest of the file that stands at a place, None where there is none.

    Raises:
        InputError: something else stands there, or on the way.
    """
    path = directory
    *folders, name = PurePosixPath(uri).parts
    for part in folders:
        path /= part
        if not path.is_symlink() and not path.exists():
            return None
        if path.is_symlink() or not path.is_dir():
            raise InputError([f"{path}:1: is no folder, and is in the way; move it away, or delete it"])
    path /= name
    if not path.is_symlink() and not path.exists():
        return None
    if path.is_symlink() or not path.is_file():
        raise InputError([f"{path}:1: is no file, and is in the way; move it away, or delete it"])
    return _digest(path)


def _data(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    with disk.reading(content):
        return content.read_bytes()


def _digest(content: Content) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with disk.reading(content), content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(directory: Path, uri: str) -> None:
    """Take a file away, and the folders that are empty without it."""
    path = directory / uri
    with disk.writing(path):
        path.unlink()
    with suppress(OSError):
        for folder in list(path.parents)[: len(PurePosixPath(uri).parts) - 1]:
            folder.rmdir()
