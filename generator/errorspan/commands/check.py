"""`errorspan check` and `errorspan status`: what is wrong with a course, and where each topic stands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from errorspan.commands.opening import course_of, misread_course_of
from errorspan.commands.options import config_option, topics_argument
from errorspan.commands.telling import show
from errorspan.diagnostics import Fault, diagnosed, told
from errorspan.runs.progress import money
from errorspan.runs.standing import Next, standing
from errorspan.text.errors import InputError, shown

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@click.command()
@topics_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "sarif", "json"]),
    default="text",
    show_default=True,
    help="How to say it: for people, as annotations of GitHub Actions, as SARIF 2.1.0, or as a list of JSON.",
)
@config_option
@click.pass_context
def check(context: click.Context, topics: tuple[str, ...], *, form: str, config_file: Path) -> None:
    """Tell everything that is wrong at once: of topics, records, tests, proofs, reviews and settings.

    Nothing is asked and nothing runs. It exits with 1 where something is wrong, and with 0 where a topic only awaits
    its run, did not separate the models, or is withheld: each of these is named.
    """
    found: list[Fault] = []
    try:
        course = course_of(config_file)
    except InputError as error:
        found = [told(fault) for fault in error.faults]
        course = misread_course_of(config_file)
    named = course.only(topics) if topics else course
    found += diagnosed(named)
    if not topics:
        found += [Fault(folder, 1, None, "belongs to no topic file", None) for folder in course.abandoned]
    faults = [fault for fault in found if fault.level != "note"]
    if form in {"text", "json"}:
        for note in (fault for fault in found if fault.level == "note"):
            click.echo(f"note: {note}", err=True)
    click.echo(_FORMS[form](faults if form in {"text", "json"} else found, _below(config_file)), nl=False)
    wrong = sum(fault.level == "error" for fault in found)
    if form == "text":
        looked = len(named.topics) + len(named.broken)
        click.echo(f"{_counted(looked, 'topic')}: {_counted(wrong, 'fault') if wrong else 'no fault'}", err=True)
    context.exit(bool(wrong))


@click.command()
@topics_argument
@config_option
def status(topics: tuple[str, ...], config_file: Path) -> None:
    """Show where each topic stands on its way to students, and what to type next. Asks nothing."""
    course = course_of(config_file)
    course = course.only(topics) if topics else course
    runs = course.replay()
    table = Table("topic", "run", "checks", "proof", "solvers", "review", "tokens", "cost", "students see", box=None)
    following: list[Next] = []
    for run in runs:
        stands = standing(run, course.settings)
        used = f"{run.usage.tokens:,}" if run.usage.tokens else ""
        cost = money(run.cost(course.settings)) if used else ""
        *stations, students, then = stands
        table.add_row(run.topic.id, *map(str, stations), used, cost, shown(students))
        following += [then] if then else []
    for name, broken in sorted(course.broken.items()):
        wrong = _counted(len(broken.faults), "fault")
        table.add_row(shown(name), "broken", wrong, "", "", "", "", "", "left out")
        following.append(Next(f"errorspan check {name if broken.addressed else ''}".rstrip(), "tells what is wrong"))
    show(table)
    if following:
        click.echo("\nNext:")
        width = max(len(command) for command, _ in following)
        for command, why in dict.fromkeys(following):
            click.echo(shown(f"  {command:<{width}}  # {why}"))


def _counted(number: int, name: str) -> str:
    return f"{number} {name if number == 1 else f'{name}s'}"


def _below(config_file: Path) -> str:
    """Return where the course stands in the repository that GitHub Actions has checked out."""
    root, course = os.environ.get("GITHUB_WORKSPACE"), config_file.resolve().parent
    if not root or not course.is_relative_to(Path(root).resolve()):
        return ""
    below = course.relative_to(Path(root).resolve()).as_posix()
    return "" if below == "." else f"{below}/"


def _text(faults: Sequence[Fault], _: str) -> str:
    return "".join(f"{'warning: ' if fault.level == 'warning' else ''}{fault}\n" for fault in faults)


def _github(faults: Sequence[Fault], below: str) -> str:
    """Return workflow commands, in which these signs part one thing from the next."""

    def data(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def value(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    levels = {"error": "error", "warning": "warning", "note": "notice"}
    return "".join(
        f"::{levels[fault.level]} file={value(below + fault.file)},line={fault.line}"
        f"{f',title={value(fault.key)}' if fault.key else ''}::{data(fault.message)}\n"
        for fault in faults
    )


def _json(faults: Sequence[Fault], _: str) -> str:
    listed = [{key: getattr(fault, key) for key in ("file", "line", "key", "message", "topic")} for fault in faults]
    return f"{json.dumps(listed, indent=2, ensure_ascii=False)}\n"


def _sarif(faults: Sequence[Fault], below: str) -> str:
    def result(fault: Fault) -> dict[str, Any]:
        where = {"uri": quote(below + fault.file), "uriBaseId": "%SRCROOT%"}
        place = {"artifactLocation": where, "region": {"startLine": max(fault.line, 1)}}
        text = f"{fault.key}: {fault.message}" if fault.key else fault.message
        return {
            "ruleId": "input" if fault.level != "note" else "state",
            "level": fault.level,
            "message": {"text": text},
            "locations": [{"physicalLocation": place}],
            "properties": {"topic": fault.topic},
        }

    driver = {
        "name": "errorspan",
        "version": version("errorspan"),
        "rules": [
            {"id": "input", "shortDescription": {"text": "A file is not as it should be."}},
            {"id": "state", "shortDescription": {"text": "Nothing is wrong, and students do not see the exercise."}},
        ],
    }
    run = {
        "tool": {"driver": driver},
        "results": [result(fault) for fault in faults],
        "columnKind": "unicodeCodePoints",
    }
    return f"{json.dumps({'$schema': SARIF, 'version': '2.1.0', 'runs': [run]}, indent=2, ensure_ascii=False)}\n"


_FORMS: Mapping[str, Callable[[Sequence[Fault], str], str]] = {
    "text": _text,
    "github": _github,
    "sarif": _sarif,
    "json": _json,
}
