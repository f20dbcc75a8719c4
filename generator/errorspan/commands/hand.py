"""`errorspan prompt` and `errorspan answer`: a run by hand, with whatever model a person can ask."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from errorspan.commands import prompts
from errorspan.commands.opening import course_of
from errorspan.commands.options import config_option
from errorspan.commands.reporting import Told, handed_in, one_text, reported, run_of, say_next, say_recorded, user
from errorspan.commands.telling import Failure, say
from errorspan.runs.run import Open, Run
from errorspan.text import disk
from errorspan.text.errors import shown
from errorspan.text.source import decoded

_OPTIONS = {"whom": "--model", "how": "--how", "by": "--by"}

as_option = click.option(
    "--as", "name", metavar="NAME", help="Which of the open prompts: its file in the record, such as judgment-ab."
)
topic_argument = click.argument("topic", required=False)


@click.command()
@topic_argument
@as_option
@click.option("--json", "as_json", is_flag=True, help="Print it for a program, with the file that the answer becomes.")
@click.option("--copy", is_flag=True, help="Put it on the clipboard in place of printing it.")
@click.option(
    "--all",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write every open prompt of all topics into a folder.",
)
@config_option
def prompt(  # noqa: PLR0913 - click passes each option
    topic: str | None, *, name: str | None, as_json: bool, copy: bool, directory: Path | None, config_file: Path
) -> None:
    """Print a prompt that waits for its answer, ready to be pasted into any chat.

    `errorspan answer` takes what came back. Several prompts may be open at once; the first is printed if none is named.
    """
    course = course_of(config_file)
    if directory:
        if topic or name or as_json or copy:
            raise click.UsageError("--all goes alone.")
        prompts.write(course, directory)
        return
    run = run_of(course, _named(topic))
    chosen = _chosen(run, name)
    if as_json:
        say(json.dumps(_for_a_program(run, chosen), indent=2, ensure_ascii=False))
        return
    if chosen is None:
        click.echo(f"{run.topic.id}: nothing is open; its run is {run.state}", err=True)
        return
    text = one_text(chosen)
    if copy:
        _copy(text)
        click.echo(f"{run.topic.id}: {chosen.name} is on the clipboard", err=True)
    else:
        say(text)
    which = f" --as {chosen.name}" if len(run.open) > 1 else ""
    click.echo(f"Then: errorspan answer {run.topic.id} FILE --model WHOM{which}", err=True)


@click.command()
@topic_argument
@click.argument("file", required=False)
@click.option("--model", "whom", metavar="WHOM", help="Whom you asked, as exactly as you know.")
@as_option
@click.option("--how", metavar="TEXT", help="How you asked, where it was not with the prompt alone.")
@click.option("--by", metavar="NAME", help="Who says so.  [default: git's user.name]")
@click.option(
    "--all",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Take every answer that stands in a folder beside its prompt; above it, whom, how and by in front matter.",
)
@config_option
def answer(  # noqa: PLR0913 - click passes each option
    topic: str | None,
    file: str | None,
    *,
    whom: str | None,
    name: str | None,
    how: str | None,
    by: str | None,
    directory: Path | None,
    config_file: Path,
) -> None:
    """Take an answer that you asked a model for by hand into the record, as reported.

    It is read from FILE, or from the standard input, and checked as a model's reply is. What is wrong with it is
    printed as the text to send back.
    """
    course = course_of(config_file)
    if directory:
        if topic or name or file:
            raise click.UsageError("--all goes with --model, --how and --by alone.")
        prompts.take(course, directory, Told.model_construct(whom=whom, how=how, by=by))
        return
    if not whom:
        raise click.UsageError("Say whom you asked: --model.")
    run = run_of(course, _named(topic))
    chosen = _chosen(run, name)
    if chosen is None:
        raise Failure(f"{run.topic.id}: nothing is open; its run is {run.state}")
    told = Told.model_construct(whom=whom, how=how, by=by or user(course.root))
    given = reported("", told, _OPTIONS)  # before a long text is pasted for nothing
    given = given.model_copy(update={"text": _read(file)})
    run, complaint = handed_in(course, run.topic, chosen, given)
    if complaint:
        say(complaint)
        raise Failure(f"{run.folder}/{chosen.file}: not recorded; send back what is printed, then answer again")
    say_recorded(run, chosen, given)
    say_next(run)


def _named(topic: str | None) -> str:
    if topic is None:
        raise click.UsageError("Name a topic, or a folder: --all.")
    return topic


def _chosen(run: Run, name: str | None) -> Open | None:
    """Return the open pass of this name, the first where none is given; None where none is open."""
    if not run.open or name is None:
        return next(iter(run.open), None)
    found = [waiting for waiting in run.open if name.removeprefix(f"{run.folder}/") in {waiting.name, waiting.file}]
    if not found:
        names = ", ".join(waiting.name for waiting in run.open)
        raise Failure(f"--as: expected a prompt that is open: {names} (got {shown(repr(name), 60)})")
    return found[0]


def _for_a_program(run: Run, chosen: Open | None) -> dict[str, Any]:
    told: dict[str, Any] = {"topic": run.topic.id, "step": "", "attempt": 0, "order": "", "sample": 1, "file": ""}
    told |= {"system": "", "prompt": "", "schema": None}
    if chosen:
        request, (step, attempt, order, sample) = chosen.request(), chosen.asked
        told |= {"step": step.name, "attempt": attempt, "order": order, "sample": sample, "file": chosen.file}
        told |= {"system": request.system, "prompt": request.prompt, "schema": request.schema}
    return told


def _copy(text: str) -> None:
    import pyperclip  # noqa: PLC0415 - it looks for programs

    try:
        pyperclip.copy(text)
    except (pyperclip.PyperclipException, OSError) as error:
        why = shown(str(error).partition("\n")[0] or error, 200) or "none was found"
        raise Failure(f"--copy: there is no clipboard here ({why}); print the prompt in place of that") from None


def _read(file: str | None) -> str:
    """Return the text that was pasted."""
    if file in {None, "-"}:
        if sys.stdin.isatty():
            click.echo("Paste the answer; Ctrl-D on a line of its own ends it.", err=True)
        text = decoded(sys.stdin.buffer.read(), "the answer")
    else:
        with disk.reading(path := Path(str(file))):
            text = decoded(path.read_bytes(), str(path))
    if not text.strip():
        raise Failure("The answer is empty: nothing was recorded.")
    return text
