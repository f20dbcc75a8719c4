"""`errorspan init`: a course site that works at once."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import click
import jinja2
import yaml
from packaging.version import Version

from errorspan.commands.options import NAMES
from errorspan.text import disk
from errorspan.text.errors import InputError

STARTER = Path(__file__).parent / "starter"
"""The files of a new course, where they stand in it. Those that end in `.j2` are templates."""

TOPIC = "idempotent-payment-webhooks"
"""What a new course begins with. A wheel has it among the starter's files, a clone where it is written."""

CLONE = Path(__file__).parents[3]

NEXT = """\
{directory}: a course with one exercise

Look at it:
{enter}  {mkdocs} serve

Add a topic of your own, and see what its run would cost:
  echo 'title: Rate limiting an API' > topics/rate-limiting.yml
  {errorspan} estimate rate-limiting

README.md tells how to publish the course.
"""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def init(directory: Path) -> None:
    """Write a course site with one exercise into a folder, and say what to type next.

    The folder may be there and hold other things; nothing in it is replaced.
    """
    folder = directory.resolve().name
    if not f"{directory}{folder}".isprintable():
        raise InputError([f"{directory}:1: expected a name without control characters (got {folder})"])
    files = _files(folder)
    for name in _missing(directory, files):
        disk.put(directory / name, files[name])
    named = shlex.quote(f"./{directory}" if str(directory).startswith("-") else str(directory))
    click.echo(
        NEXT.format(
            directory=directory,
            enter="" if directory == Path() else f"  cd {named}\n",
            mkdocs=_typed("mkdocs"),
            errorspan=_typed("errorspan"),
        ),
        nl=False,
    )


def _files(folder: str) -> dict[str, str]:
    """Return the files of a new course by their names; the configuration is last, because without it nothing is one."""
    title = folder.replace("-", " ").replace("_", " ").strip()
    site_name = {"site_name": title[:1].upper() + title[1:] or "A course"}
    values = {
        "site_name": yaml.safe_dump(site_name, allow_unicode=True, width=math.inf).strip(),
        "version": Version(version("errorspan")).public,
    }
    templates = jinja2.Environment(
        autoescape=False,  # noqa: S701 - these files are no HTML
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    files = {}
    for name, path in _sources():
        text = path.read_bytes().decode("utf-8")
        filled = templates.from_string(text).render(values) if name.endswith(".j2") else text
        files[name.removesuffix(".j2")] = filled
    return dict(sorted(files.items(), key=lambda file: (file[0] == NAMES[0], file[0])))


def _sources() -> Iterator[tuple[str, Path]]:
    places = {STARTER: ["**/*"]}
    if not (STARTER / "topics").is_dir():
        places[CLONE] = [f"topics/{TOPIC}.*", f"topics/runs/{TOPIC}/**/*"]
    for place, patterns in places.items():
        for path in (path for pattern in patterns for path in place.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":  # pip compiles all that it installs
                yield path.relative_to(place).as_posix(), path


def _missing(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Return the files that are to be written: all, or the rest where writing them was broken off.

    Raises:
        InputError: something is in the way; with all that is.
    """
    folders = {folder.as_posix() for name in files for folder in Path(name).parents[:-1]}
    missing = [name for name in files if not _there(directory / name)]

    def blocks(name: str) -> bool:
        path = directory / name
        if name in folders:
            return path.is_symlink() or not path.is_dir()
        with disk.reading(path):
            written = path.is_file() and not path.is_symlink() and path.read_bytes() == files.get(name, "").encode()
        return not (written and missing)

    known = sorted({*folders, *files, *NAMES})
    if in_the_way := [directory / name for name in known if _there(directory / name) and blocks(name)]:
        faults = [f"{path}:1: is in the way, and nothing is replaced" for path in in_the_way]
        raise InputError([*faults, "Nothing was written. Move these away, or name another folder."])
    return missing


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _typed(program: str) -> str:
    """Return how a program of this environment is called in a shell: its name where the shell finds it by that."""
    beside = shutil.which(program, path=str(Path(sys.executable).parent))
    return shlex.quote(beside) if beside and shutil.which(program) != beside else program
