"""Find where a site's settings stand: with the plugin, or in `extra.generator` for the hook.

MkDocs reads the configuration; only the file and the line of each key are found here, through `INHERIT` too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from errorspan.text.errors import InputError
from errorspan.text.expected import Place
from errorspan.text.source import Mark, Source, decoded
from errorspan.text.unparsed import in_yaml

NAME = "errorspan"
PLUGIN: Place = ("plugins", NAME)
HOOK: Place = ("extra", "generator")

_Node = tuple[str, yaml.Node]


def of_plugin(plugins: Any, extra: Mapping[str, Any]) -> Any:
    """Return the plugin's options, as `plugins` of a configuration has them; None where the hook's settings count.

    They do where there is no plugin, and where it is switched off and the hook has some.
    """
    entries = [plugins] if isinstance(plugins, Mapping) else plugins if isinstance(plugins, list) else []
    for entry in entries:
        named = entry if isinstance(entry, Mapping) else {entry: None}
        if NAME in named:
            options = {} if named[NAME] is None else named[NAME]
            if not isinstance(options, dict):
                return options
            off = options.get("enabled") is False
            return None if off and _of_hook(extra) else {key: options[key] for key in options if key != "enabled"}
    return None


def files(config_file: Path) -> list[Path]:
    """Return the file of a configuration, and those that it inherits from, as far as they can be read."""
    found = [config_file]
    with suppress(InputError):
        found += [config_file.parent / name for name, _ in _files(config_file, config_file.parent)][1:]
    return found


def marks(config_file: Path) -> dict[Place, Mark]:
    """Return where each key of a configuration stands.

    Raises:
        InputError: it cannot be read, or one that it inherits from.
    """
    nodes = list(_files(config_file, config_file.parent))
    try:
        return dict(_placed(nodes, ()))
    except RecursionError:  # an alias may lead back to where it stands
        return {}


def settings(config_file: Path, extra: Mapping[str, Any], options: Any) -> Source:
    """Return a site's settings: the plugin's `options`, or `extra.generator` where those are None.

    `extra.generator: false` is Material's own key, which takes its name off the footer.

    Raises:
        InputError: the plugin is in use, and keys stand where the hook looks for them.
    """
    try:
        placed = marks(config_file)
    except InputError:  # who has read it told why, or could
        placed = {}
    found = Source(config_file.name, _of_hook(extra), placed, HOOK)
    if options is None:
        return found
    if found.values:
        belongs = f"is the hook's, and this site has the plugin; set it below {'.'.join(map(str, PLUGIN))}"
        raise InputError([found.fault((), belongs)])
    of_list = {(PLUGIN[0], *place[2:]): mark for place, mark in placed.items() if place[2:3] == PLUGIN[1:]}
    return Source(config_file.name, options, placed | of_list, PLUGIN)


def _of_hook(extra: Mapping[str, Any]) -> Any:
    of_hook = extra.get("generator")
    return {} if of_hook is None or isinstance(of_hook, bool) else of_hook


def _files(path: Path, root: Path, heirs: Sequence[Path] = ()) -> Iterator[_Node]:
    """Yield the nodes of a configuration and of those that it inherits from, by the names of their files.

    Raises:
        InputError: one of them cannot be read, is no YAML, or inherits from an heir of its own.
    """
    name = _named(path, root)
    node = _composed(path, name)
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise InputError([f"{name}:1: expected keys and values"])
    yield name, node
    for key, value in node.value:
        if key.value != "INHERIT" or value.tag.startswith("!"):  # what a tag makes of it, MkDocs alone knows
            continue
        fault = f"{name}:{key.start_mark.line + 1}: INHERIT:"
        if value.tag != "tag:yaml.org,2002:str":
            raise InputError([f"{fault} expected the name of a file"])
        parent = Path(os.path.normpath(path.parent / value.value))
        if parent in {path, *heirs}:
            raise InputError([f"{fault} leads back to {_named(parent, root)}, which would inherit from itself"])
        if not parent.is_file():
            raise InputError([f"{fault} expected a file (got {value.value!r})"])
        yield from _files(parent, root, (*heirs, path))


def _composed(path: Path, name: str) -> yaml.Node | None:
    text = ""
    try:
        text = decoded(path.read_bytes(), name)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise InputError([f"{name}:1: cannot be read ({error.strerror})"]) from None
    except RecursionError:
        raise InputError([f"{name}:1: is nested too deeply"]) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        line, what = in_yaml(error, text)
        raise InputError([f"{name}:{line}: {what}"]) from None


def _named(path: Path, root: Path) -> str:
    """Return how messages name a file: from the root, or whole where it lies on another drive of Windows."""
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:
        return path.as_posix()


def _placed(nodes: Sequence[_Node], place: Place) -> Iterator[tuple[Place, Mark]]:
    """Yield the mark of each key. Mappings are merged over all files; anything else is the first one's."""
    mappings = list(takewhile(lambda named: isinstance(named[1], yaml.MappingNode), nodes))
    inner: dict[Place, list[_Node]] = {}
    for name, mapping in mappings:
        for key, value in mapping.value:
            below = (*place, str(key.value))
            if below not in inner:
                yield below, (name, key.start_mark.line + 1)
            inner.setdefault(below, []).append((name, value))
    if nodes and isinstance(nodes[0][1], yaml.SequenceNode):
        for number, value in enumerate(nodes[0][1].value):
            yield (*place, number), (nodes[0][0], value.start_mark.line + 1)
            inner[*place, number] = [(nodes[0][0], value)]
    for below, values in inner.items():
        yield from _placed(values, below)
