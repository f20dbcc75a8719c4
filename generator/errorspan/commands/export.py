"""`errorspan export`: packages of exercises for learning platforms."""

from __future__ import annotations

from pathlib import Path

import click

from errorspan.commands.opening import configuration, course_of
from errorspan.commands.options import config_option
from errorspan.export import parcel as export
from errorspan.export import qti, scorm

exported_argument = click.argument("topics", nargs=-1, required=True, metavar="TOPIC...")
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The package to write."
)


@click.group("export")
def export_commands() -> None:
    """Make a package of exercises for a learning platform."""


@export_commands.command("scorm")
@exported_argument
@output_option
@config_option
def export_scorm(topics: tuple[str, ...], output: Path, config_file: Path) -> None:
    """Write a SCORM 1.2 package: one object that holds the exercises of these topics."""
    _export(scorm.package, topics, output, config_file)


@export_commands.command("qti")
@exported_argument
@output_option
@config_option
def export_qti(topics: tuple[str, ...], output: Path, config_file: Path) -> None:
    """Write a QTI 2.1 package: a multiple response item for each topic, its lines of code as choices."""
    _export(qti.package, topics, output, config_file)


def _export(package: export.Packer, topics: tuple[str, ...], output: Path, config_file: Path) -> None:
    parcel = export.parcel(course_of(config_file), configuration(config_file).values, topics)
    size = export.write(output, package(parcel))
    click.echo(f"{output}: {', '.join(item.exercise.id for item in parcel.items)} ({size:,} bytes)")
