"""`errorspan new`: a topic file, with all that may stand in it."""

from __future__ import annotations

import re
import shlex
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any, get_args

import click
import yaml
from click.core import ParameterSource

from errorspan.authoring.topics import ID, ID_LENGTH, SUFFIXES, Level, TopicFile
from errorspan.commands.opening import configuration, settings_of
from errorspan.commands.options import config_option
from errorspan.site import schemas
from errorspan.text import disk, source
from errorspan.text.errors import InputError
from errorspan.text.expected import keys

_EXAMPLES: Mapping[str, Any] = {
    "language": "python",
    "level": "intermediate",
    "focus": "token buckets in a process with several threads",
    "brief": "Learners should see what a lock has to hold.",
    "concepts": ["atomic updates", "monotonic clocks"],
    "lines": "30-60",
    "mode": "exam",
    "models": {"weak": "claude-haiku-4-5"},
    "max_attempts": 3,
    "requires": ["numpy>=2"],
    "try": {"call": "merge", "examples": ["[[1, 3], [2, 5]]", "[]"]},
}
"""What stands behind each key that is not set, as a remark."""


@click.command()
@click.argument("topic", required=False, metavar="[ID]")
@click.option("--title", help="The topic, as a learner would name it.")
@click.option("--language", help="The programming language of the challenge.")
@click.option("--level", type=click.Choice(get_args(Level)), help="Whom the exercise is for.")
@click.option("--focus", help="The subtopic that the challenge is about.")
@click.option("--brief", help="What learners should take away, and constraints.")
@click.option("--concept", "concepts", multiple=True, help="An idea that the exercise trains; may be given again.")
@config_option
def new(topic: str | None, *, config_file: Path, concepts: tuple[str, ...], **given: str | None) -> None:
    """Write a topic file in which all that may stand there is explained.

    On a terminal, what is not given is asked for. The ID is made of the title, if not given.
    """
    settings = settings_of(config_file)
    if _at_a_terminal() and not given["title"]:
        given |= _asked(given)
    if not given["title"]:
        raise click.UsageError("Give a title: --title 'Retrying failed requests'.")
    values: dict[str, Any] = {key: value for key, value in given.items() if value}
    values |= {"concepts": list(concepts)} if concepts else {}
    topic = topic.removesuffix(".yml") if topic else _id(given["title"])
    if not ID.fullmatch(topic) or len(topic) > ID_LENGTH:
        said = f"ID: expected a name of a-z, 0-9 and single hyphens, {ID_LENGTH} at most (got {topic!r})"
        raise InputError([f"{said}; give one: errorspan new rate-limiting --title …"])
    root = config_file.resolve().parent
    name = f"{settings.topics}/{topic}.yml"
    text = _text(values, _schema(config_file, name))
    source.parsed(text, "the new file").validated(TopicFile)
    for suffix in SUFFIXES:
        there = f"{settings.topics}/{topic}{suffix}"
        path = disk.below(root, root / there, there)
        if path.exists():
            raise InputError([f"{there}:1: is there already, and nothing is replaced"])
    disk.put(disk.below(root, root / name, name), text)
    named = click.get_current_context().get_parameter_source("config_file") is ParameterSource.COMMANDLINE
    at = f" -f {shlex.quote(str(config_file))}" if named else ""
    click.echo(
        f"{name}: written\n\nNext:\n  errorspan check {topic}{at}\n  errorspan estimate {topic}{at}"
        f"\n  errorspan prompt {topic}{at}  # where you have no key: prints what to ask a model by hand"
    )


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(given: Mapping[str, str | None]) -> dict[str, str | None]:
    """Ask for what is not given; an empty answer leaves all but the title open."""
    said: dict[str, str | None] = {"title": click.prompt("Title, as a learner would name it")}
    for key in ("language", "level", "focus"):
        if not given[key]:
            kind = click.Choice(["", *get_args(Level)]) if key == "level" else None
            says = (TopicFile.model_fields[key].description or key).replace("`", "")
            said[key] = click.prompt(f"{key}: {says} (may stay open)", default="", type=kind, show_default=False)
    return said


def _id(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:ID_LENGTH].strip("-")


def _schema(config_file: Path, name: str) -> str:
    """Return where an editor finds the schema: at the site's address, or in the site as it is built here."""
    found = configuration(config_file).values
    site_url, site_dir = found.get("site_url"), str(found.get("site_dir") or "site")
    if isinstance(site_url, str) and site_url:
        return f"{site_url.rstrip('/')}/{schemas.address('topic')}"
    return f"{'../' * name.count('/')}{site_dir}/{schemas.address('topic')}"


def _text(values: Mapping[str, Any], schema: str) -> str:
    return f"# yaml-language-server: $schema={schema}\n" + "\n".join(_lines(values))


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for key, field in keys(TopicFile).items():
        yield ""
        yield from (f"# {line}" for line in wrap(f"{(field.description or '').replace('`', '')}", 100))
        set_ = key in values
        shown = yaml.safe_dump({key: values[key] if set_ else _EXAMPLES[key]}, allow_unicode=True, width=100)
        yield from (line if set_ else f"#{line}" for line in shown.splitlines())
    yield ""
