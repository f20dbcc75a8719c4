"""Open the course of a configuration, read as MkDocs reads that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils.yaml import yaml_load

from errorspan.authoring.configuration import NAME, marks, of_plugin
from errorspan.authoring.settings import Settings, read_settings
from errorspan.commands.options import Shard
from errorspan.course import Course
from errorspan.text.errors import InputError, shown
from errorspan.text.expected import Place
from errorspan.text.source import Source

_HANDS = re.compile(r"^from errorspan\.site\.mkdocs import |^import errorspan\.site\.mkdocs", re.MULTILINE)
"""How a hook begins that hands MkDocs' events on."""

_TEXT = "text", (str,)
_ENTRIES = "a list of names, each alone or with its options", (list, dict)
_FILES = "a list of files", (list,)
_SHAPES: dict[Place, tuple[str, tuple[type, ...]]] = {
    ("docs_dir",): _TEXT,
    ("exclude_docs",): _TEXT,
    ("not_in_nav",): _TEXT,
    ("use_directory_urls",): ("true or false", (bool,)),
    ("extra",): ("keys and values", (dict,)),
    ("theme",): ("a name, or keys and values", (str, dict)),
    ("theme", "name"): _TEXT,
    ("theme", "custom_dir"): _TEXT,
    ("plugins",): _ENTRIES,
    ("markdown_extensions",): _ENTRIES,
    ("hooks",): _FILES,
    ("extra_css",): _FILES,
    ("extra_javascript",): _FILES,
}
"""What each key that commands look into has to be; MkDocs says the same of them when it builds."""
_ITEMS: dict[str, tuple[str, tuple[type, ...]]] = {
    "plugins": ("a name, alone or with its options", (str, dict)),
    "markdown_extensions": ("a name, alone or with its options", (str, dict)),
    "hooks": ("the name of a file", (str,)),
    "extra_css": ("the name of a file", (str,)),
    "extra_javascript": ("a file, by its name or by keys and values", (str, dict)),
}


def course_of(config_file: Path, shard: Shard | None = None) -> Course:
    """Read the course that a configuration names, or a shard of it.

    Raises:
        InputError: as `Course.read`, or the configuration has the plugin and the hook.
    """
    found = configuration(config_file)
    _once(found, config_file.resolve().parent)
    course = Course.read(config_file.resolve(), *_set(found.values))
    return course.only(filter(shard.holds, [*course.topics, *course.broken])) if shard else course


def _once(found: Source, root: Path) -> None:
    """Hold that a site has the plugin or the hook, as a build does."""
    if of_plugin(found.values.get("plugins"), {"generator": {"in use": True}}) is None:  # or is switched off
        return
    for number, hook in enumerate(found.values.get("hooks") or ()):
        with suppress(OSError, ValueError):
            if _HANDS.search((root / str(hook)).read_text("utf-8")):
                said = f"expected one plugin or hook of Errorspan (got both: {NAME} is among the plugins)"
                raise InputError([found.fault(("hooks", number), f"{said}; keep the plugin")])


def misread_course_of(config_file: Path) -> Course:
    """Read as much of a course as its faulty settings let."""
    try:
        found: Mapping[str, Any] = configuration(config_file).values
    except InputError:
        found = {}
    return Course.sketch(config_file.resolve(), *_set(found))


def settings_of(config_file: Path) -> Settings:
    """Read the settings that a configuration holds, and no topic."""
    return read_settings(config_file.resolve(), *_set(configuration(config_file).values))


def configuration(config_file: Path) -> Source:
    """Read mkdocs.yml as MkDocs does, with what it inherits and takes from the environment.

    Raises:
        InputError: it cannot be read, or a key that commands look into is not what it has to be.
    """
    path = config_file.resolve()
    try:
        with config_file.open("rb") as file:
            placed = marks(path)
            loaded = yaml_load(file)
    except OSError as error:
        raise InputError([f"{config_file}:1: cannot be read ({error.strerror})"]) from None
    except RecursionError:
        raise InputError([f"{config_file}:1: is nested too deeply"]) from None
    except (ValueError, ConfigurationError) as error:
        raise InputError([_refused(error, config_file)]) from None
    found = Source(path.name, loaded, placed)
    if faults := list(_misshapen(found)):
        raise InputError(faults)
    return found


def _refused(error: Exception, config_file: Path) -> str:
    """Say what MkDocs has against a configuration that is YAML."""
    cause = error.__context__
    if isinstance(cause, yaml.MarkedYAMLError) and (mark := cause.problem_mark or cause.context_mark):
        return f"{mark.name}:{mark.line + 1}: is no configuration of MkDocs: {cause.problem or cause.context}"
    return f"{config_file}:1: is no configuration of MkDocs: {error}"


def _misshapen(found: Source) -> Iterator[str]:
    def told(place: Place, expected: str, value: Any) -> str:
        return found.fault(place, f"expected {expected} (got {shown(repr(value), 60)})")

    for place, (expected, kinds) in _SHAPES.items():
        value: Any = found.values
        for key in place:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            continue
        if not isinstance(value, kinds):
            yield told(place, expected, value)
        elif place[0] in _ITEMS:
            said, fitting = _ITEMS[str(place[0])]
            for number, item in enumerate(found.values[str(place[0])]):
                names = item if isinstance(item, dict) else ()
                if not isinstance(item, fitting) or not all(isinstance(name, str) for name in names):
                    yield told((*place, number), said, item)


def _set(found: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return `extra` of a configuration, and the plugin's options."""
    extra = found.get("extra") or {}
    return extra, of_plugin(found.get("plugins"), extra)
