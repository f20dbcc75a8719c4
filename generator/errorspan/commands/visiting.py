"""`errorspan open`: a topic's page, where the course is served."""

from __future__ import annotations

import socket
import webbrowser
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import click

from errorspan.commands.opening import configuration, course_of
from errorspan.commands.options import config_option
from errorspan.commands.telling import Failure
from errorspan.runs.standing import waits
from errorspan.text.errors import shown

_SERVED_AT = "127.0.0.1:8000"  # by MkDocs, where nothing else is said


@click.command("open")
@click.argument("topic")
@click.option("--run", "of_run", is_flag=True, help="The page of its run, and not its exercise.")
@config_option
def open_(topic: str, *, of_run: bool, config_file: Path) -> None:
    """Print the address of a topic's page where `mkdocs serve` serves it, and open it in a browser, if there is one.

    Where students see no exercise, it is the page of its run.
    """
    course = course_of(config_file)
    [run] = course.replay([topic])
    if not of_run and (why := waits(run, course.settings)):
        click.echo(shown(f"{run.topic.id} has no exercise for students: {why}"), err=True)
        of_run = True
    folder = course.settings.runs_folder if of_run else course.settings.exercises_folder
    found = configuration(config_file).values
    host, base = str(found.get("dev_addr") or _SERVED_AT), urlsplit(str(found.get("site_url") or "")).path.strip("/")
    index = "index.html" if found.get("use_directory_urls") is False else ""
    path = "/".join(part for part in (base, folder, run.topic.id) if part)
    address = f"http://{host}/{quote(path)}/{index}"
    click.echo(address)
    if not _answers(host):
        raise Failure(f"Nothing is served at {shown(host)}: `mkdocs serve` serves the course.")
    with suppress(webbrowser.Error):
        webbrowser.open(address)


def _answers(host: str) -> bool:
    """Tell whether something is served there."""
    try:
        at = urlsplit(f"//{host}")
        with socket.create_connection((at.hostname or "127.0.0.1", at.port or 80), timeout=2):
            return True
    except (OSError, ValueError):
        return False
