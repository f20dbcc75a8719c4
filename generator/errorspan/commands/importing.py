"""`errorspan import`: a record that somebody made by hand behind a server of their own."""

from __future__ import annotations

from pathlib import Path

import click

from errorspan.authoring.topics import Topic
from errorspan.commands.opening import course_of
from errorspan.commands.options import config_option
from errorspan.commands.reporting import Told, reported, run_of, say_next, user
from errorspan.course import Course
from errorspan.pipeline import Pipeline
from errorspan.record.manifest import Entry, Manifest
from errorspan.record.record import Record
from errorspan.record.retelling import StandIn, idle, models, named, retold
from errorspan.steps import prompting
from errorspan.text import disk
from errorspan.text.errors import InputError, shown

_OPTIONS = {"whom": "--reported: WHOM", "how": "--reported: HOW", "by": "--by"}


@click.command("import")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("topic")
@click.option(
    "--reported",
    "reports",
    nargs=3,
    multiple=True,
    required=True,
    metavar="PATTERN WHOM HOW",
    help="Whom you asked, and how, where the record names a model that fits PATTERN, such as 'stand-in-*'; the first "
    "that fits tells. HOW may be empty.",
)
@click.option("--by", metavar="NAME", help="Who says so.  [default: git's user.name]")
@config_option
def import_(
    directory: Path, topic: str, *, reports: tuple[tuple[str, str, str], ...], by: str | None, config_file: Path
) -> None:
    """Take a run that was made by hand behind a server of one's own into the course, as reported.

    DIR is the record's folder, with its run.json. Answers of the models that are named become reported, and what that
    server said of tokens, times and names is dropped; all others stay what they are.
    """
    course = course_of(config_file)
    [chosen] = course.chosen([topic])
    by = by or user(course.root)
    given = [(pattern, Told.model_construct(whom=whom, how=how or None, by=by)) for pattern, whom, how in reports]
    stand_ins = [StandIn(pattern, reported("", told, _OPTIONS)) for pattern, told in given]
    source, target = _source(directory), course.record(chosen)
    manifest = _checked(source, stand_ins)
    bases = _bases(course, chosen, source)
    with disk.reading(directory):
        files = {file: source.own(file).read_bytes() for file in bases}
        others = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
    with target.locked():
        target.begin(retold(manifest, stand_ins, bases), files)
    for file in bases:
        if found := target.find(file):
            click.echo(shown(f"{target.name}/{file}: {_became(found.entry)}"))
    for file in sorted(others - bases.keys() - {"run.json"}):
        click.echo(shown(f"{directory}/{file}: left out: it is no answer of this run"))
    run = run_of(course, chosen.id)
    for fault in (*run.faults, *run.solution_faults):
        click.echo(fault, err=True)
    say_next(run)


def _source(directory: Path) -> Record:
    """Return the record that stands in a folder; what it names is read there, and nothing written."""
    source = Record(str(directory), directory, directory)
    with disk.reading(directory):
        if not source.own("run.json").is_file():
            raise InputError([f"{directory}:1: expected a record's folder, with its run.json"])
    return source


def _checked(source: Record, stand_ins: list[StandIn]) -> Manifest:
    """Return the record's manifest, if what is told fits it."""
    found = source.manifest
    known = ", ".join(models(found)) or "none"
    faults = [
        f"--reported: PATTERN: expected one that a reply is left for (got {one.pattern!r}; the record names {known})"
        for one in idle(found, stand_ins)
    ]
    faults += [
        f"{source.name}/run.json:1: note: expected none that names {name}, which stood for whom you asked; mend it"
        for name in named(found, stand_ins)
    ]
    if faults:
        raise InputError(faults)
    return found


def _bases(course: Course, topic: Topic, source: Record) -> dict[str, str]:
    """Return what each answer of the run is an answer to, by its file.

    Raises:
        InputError: the record is corrupt, or holds none.
    """
    run = Pipeline(topic, source, course.settings).run()
    given, known = (*run.answers, *run.solutions), source.manifest.answers
    if not given:
        raise InputError([f"{source.name}:1: holds no answer that a run begins with ({run.problem})"])
    changed = [one.file for one in given if one.file in known and known[one.file].digest != one.entry.digest]
    if changed:
        mend = "restore it, import, and edit it then: whether what was built on it knew of the change cannot be told"
        raise InputError(f"{source.name}/{file}:1: was changed since it was recorded; {mend}" for file in changed)
    return {one.file: prompting.basis(one.step, run.outputs_of(one.attempt)) for one in given}


def _became(entry: Entry) -> str:
    who = f"{entry.whom}, as {entry.by} says" if entry.by_hand else entry.model
    return f"{entry.origin} ({who})" if who else entry.origin
