"""`errorspan accept`, `diff`, `prune`: what a record keeps, what that was before, and what nothing needs any more."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path

import click

from errorspan.commands.opening import course_of
from errorspan.commands.options import config_option, topics_argument
from errorspan.commands.reporting import user
from errorspan.commands.telling import Failure, left_out
from errorspan.course import Course
from errorspan.record.manifest import Accepted
from errorspan.record.record import Record
from errorspan.runs.answer import Answer
from errorspan.text import disk
from errorspan.text.errors import shown

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@topics_argument
@click.option("--by", metavar="NAME", help="Who keeps them.  [default: git's user.name]")
@config_option
def accept(topics: tuple[str, ...], by: str | None, config_file: Path) -> None:
    """Keep stale answers on purpose: what would be asked now is said to be no reason to ask again.

    The record says who keeps each, and since when; what was asked stays there. When something else changes, they are
    stale anew. A solver's answers are of an exercise as it was, and are asked for again.
    """
    if not topics:
        raise click.UsageError("Name the topics whose stale answers you keep.")
    course = course_of(config_file)
    for topic in course.chosen(topics):
        record = course.record(topic)
        with record.locked():
            stale = [(answer, now) for answer in course.replay([topic.id])[0].answers if (now := answer.changed)]
            for answer, now in stale:
                accepted = Accepted(by=by or user(course.root), at=_today(), asked=now)
                record.declare(answer.file, answer.entry.model_copy(update={"accepted": accepted}))
                click.echo(shown(f"{record.name}/{answer.file}: kept, as {accepted.by} says"))
        if not stale:
            click.echo(f"{topic.id}: nothing is stale")


@click.command()
@click.argument("topic")
@click.option("--head", is_flag=True, help="Compare with what git has committed, and not with what was superseded.")
@config_option
def diff(topic: str, *, head: bool, config_file: Path) -> None:
    """Show what changed in a topic's answers: against what each superseded here, or what git has committed."""
    course = course_of(config_file)
    [chosen] = course.chosen([topic])
    [run] = course.replay([topic])
    record, same, new = course.record(chosen), 0, 0
    for answer in (*run.answers, *run.solutions):
        of, before = _before(course.root, record, answer.file, head=head)
        text = answer.recorded.text
        if before == text:
            same += 1
            continue
        if before is None:
            new += 1
            continue
        click.secho(shown(f"{record.name}/{answer.file}: {_who(answer)}; before: {of}"), bold=True)
        for line in unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=2):
            if not line.startswith(("---", "+++")):
                click.secho(f"  {shown(line.expandtabs())}", fg=_COLOURS.get(line[0]))
    if new:
        click.echo(f"{new} {'answer is' if new == 1 else 'answers are'} new: none superseded, and git has none")
    if same:
        click.echo(f"{same} {'answer is' if same == 1 else 'answers are'} as before")


@click.command()
@topics_argument
@click.option("--yes", is_flag=True, help="Remove what is listed.")
@config_option
def prune(topics: tuple[str, ...], *, yes: bool, config_file: Path) -> None:
    """List replies that were superseded or rejected and still lie beside the cache; remove them with --yes.

    What they were asked with and cost stays in the record. Replies that were paid for and are in no record yet are
    never removed.
    """
    course = course_of(config_file)
    cache = course.root / ".cache" / "errorspan"
    ids = [topic.id for topic in course.chosen(topics, leave_out=True)] if topics else sorted(_folders(course, cache))
    files = total = 0
    for id_ in ids:
        for path in _needless(course, cache, id_):
            files, total = files + 1, total + path.stat().st_size
            click.echo(shown(path.relative_to(course.root).as_posix()))
            if yes:
                with disk.writing(path):
                    path.unlink()
        if kept := sum(1 for _ in (cache / id_).glob("*.json")):
            replies = "reply waits for the record, and stays" if kept == 1 else "replies wait for the record, and stay"
            click.echo(shown(f"{id_}: {kept} {replies}"), err=True)
    done = "removed" if yes else "could be removed: --yes"
    click.echo(f"{files} files, {total / 1e6:.1f} MB {done}" if files else "Nothing to remove.")
    if failed := left_out(course, topics):
        raise Failure("\n".join(failed))


def _folders(course: Course, cache: Path) -> Iterator[str]:
    """Yield the names of the folders in the cache, those of topics that are gone too."""
    disk.below(course.root, cache, ".cache/errorspan")
    if cache.is_dir():
        yield from (path.name for path in cache.iterdir() if path.is_dir() and not path.is_symlink())


def _needless(course: Course, cache: Path, topic: str) -> Iterator[Path]:
    """Yield the replies of a topic that counted once, or never."""
    for name in ("rejected", "superseded"):
        folder = disk.below(course.root, cache / topic / name, f".cache/errorspan/{topic}/{name}")
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _before(root: Path, record: Record, file: str, *, head: bool) -> tuple[str, str | None]:
    """Return where an answer's text before is from, and that text; None where there was none."""
    if not head and (superseded := _superseded(record, file)):
        with disk.reading(superseded):
            return "what it superseded", superseded.read_text("utf-8", "replace")
    try:
        asked = ["git", "show", f"HEAD:./{record.name}/{file}"]
        done = subprocess.run(asked, cwd=root, capture_output=True, check=False)  # noqa: S603 - git's own
    except OSError:
        return "nothing (git is not here)", None
    if done.returncode:
        return "nothing", None
    return "git's HEAD", done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


def _superseded(record: Record, file: str) -> Path | None:
    """Return the text that an answer took the place of last."""
    path = record.journaled(f"superseded/{file}")
    found = [one for one in path.parent.glob(f"{path.name}*") if one == path or one.suffix[1:].isdigit()]
    return max(found, key=lambda one: 1 if one == path else int(one.suffix[1:]), default=None)


def _who(answer: Answer) -> str:
    return answer.entry.who if answer.from_model and answer.entry.who else "a person"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
