"""Write files whole or not at all, say what to do where a disk does not take them; follow no link below a root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

from errorspan.text.errors import DiskError, InputError

HALF = ".half"
"""Ends the name of a file that is being written: what is left of one was being written when its process was killed."""


def link(root: Path, path: Path) -> Path | None:
    """Return the first link on the way to a path, from the root down; None where there is none.

    What lies beside the root is looked at from where both part. What a root lies behind itself is its owner's choice.
    """
    way, base = (Path(os.path.normpath(end)) for end in (path, root))
    above = {base, *base.parents}
    below = [*takewhile(lambda step: step not in above, (way, *way.parents))]
    return next((step for step in reversed(below) if step.is_symlink()), None)


def below(root: Path, path: Path, name: str) -> Path:
    """Return a path that no link leads to, from a root down; `name` is the path as messages name it.

    Every file that a stranger's checkout may have laid is read and written by way of this.

    Raises:
        InputError: a link leads to it.
    """
    if link(root, path):
        raise InputError([f"{name}:1: cannot be read (it is reached by a link)"])
    return path


def walked(folder: Path) -> Iterator[Path]:
    """Yield files and links below a folder, in order.

    Raises:
        OSError: a folder cannot be read.
    """

    def told(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=told):
        folders.sort()
        links = [name for name in folders if (Path(where) / name).is_symlink()]  # walked around, and told
        yield from (Path(where) / name for name in sorted([*names, *links]))


def waits(path: Path) -> bool:
    """Tell whether what stands there, a pipe or a device, would let who reads it wait."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say what cannot be read: this, or what an error names below it.

    Raises:
        InputError: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise InputError([f"{error.filename or path}:1: cannot be read ({error.strerror or error})"]) from None


@contextmanager
def writing(path: Path, consequence: str = "") -> Iterator[None]:
    """Say what cannot be written, what to do, and what follows."""
    try:
        yield
    except OSError as error:
        raise DiskError(path, error, consequence) from None


def put(path: Path, content: str | bytes, consequence: str = "", *, by_way_of: Path | None = None) -> None:
    """Write a file whole, or not at all.

    `by_way_of` is a folder of the same disk in which it stands while it is half written, in place of its own.

    Raises:
        DiskError: it could not be written.
    """
    with writing(path, consequence):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=by_way_of or path.parent, prefix=f".{path.name}.", suffix=HALF)
        written = Path(temporary)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            written.chmod(0o644)
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise


def put_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder that holds nothing yet, whole or not at all: beside it first, then under its name.

    Raises:
        DiskError: it could not be written.
    """
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=HALF))
        try:
            for name, content in files.items():
                put(half / name, content)
            half.chmod(0o755)
            with suppress(FileNotFoundError):
                folder.rmdir()
            half.replace(folder)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise


def clear_half(folder: Path) -> None:
    """Take away what is left of a folder that was being written when its process was killed."""
    for half in folder.parent.glob(f".{folder.name}.*{HALF}"):
        with writing(half):
            shutil.rmtree(half)


def move(path: Path, folder: Path, name: str) -> None:
    """Move a file to a name that is free; the folder may be on another file system."""
    target, number = folder / name, 1
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        while target.exists():
            number += 1
            target = folder / f"{name}.{number}"
        shutil.move(path, target)
