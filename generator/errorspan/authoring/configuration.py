"""Find where a site's settings stand: with the plugin, or in `extra.generator` for the hook.

MkDocs reads the configuration; only the file and the line of each key are found here, through `INHERIT` too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from errorspan.text.errors import InputError
from errorspan.text.source import Place, Source

NAME = "errorspan"
PLUGIN: Place = ("plugins", NAME)
HOOK: Place = ("extra", "generator")

_Node = tuple[str, yaml.Node]


def of_plugin(plugins: Any) -> Any:
    """Return the plugin's options, as `plugins` of a configuration has them; None where the plugin is not in use."""
    entries = [plugins] if isinstance(plugins, Mapping) else plugins if isinstance(plugins, list) else []
    for entry in entries:
        named = entry if isinstance(entry, Mapping) else {entry: None}
        if NAME in named:
            options = {} if named[NAME] is None else named[NAME]
            return {key: options[key] for key in options if key != "enabled"} if isinstance(options, dict) else options
    return None


def files(config_file: Path) -> list[Path]:
    """Return the file of a configuration, and those that it inherits from."""
    return [config_file.parent / name for name, _ in _files(config_file, config_file.parent, set())]


def settings(config_file: Path, extra: Mapping[str, Any], options: Any) -> Source:
    """Return a site's settings: the plugin's `options`, or `extra.generator` where those are None.

    `extra.generator: false` is Material's own key, which takes its name off the footer.

    Raises:
        InputError: the plugin is in use, and keys stand where the hook looks for them.
    """
    try:
        marks = dict(_placed(list(_files(config_file, config_file.parent, set())), ()))
    except RecursionError:  # an alias may lead back to where it stands
        marks = {}
    of_hook = extra.get("generator")
    found = Source(config_file.name, {} if of_hook is None or isinstance(of_hook, bool) else of_hook, marks, HOOK)
    if options is None:
        return found
    if found.values:
        belongs = f"is the hook's, and this site has the plugin; set it below {'.'.join(map(str, PLUGIN))}"
        raise InputError([found.fault((), belongs)])
    of_list = {(PLUGIN[0], *place[2:]): mark for place, mark in marks.items() if place[2:3] == PLUGIN[1:]}
    return Source(config_file.name, options, marks | of_list, PLUGIN)


def _files(path: Path, root: Path, seen: set[Path]) -> Iterator[_Node]:
    """Yield the nodes of a configuration and of those that it inherits from, by the names of their files."""
    try:
        node = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, OverflowError, RecursionError, yaml.YAMLError):
        return
    if not isinstance(node, yaml.MappingNode) or path in seen:
        return
    yield _named(path, root), node
    for key, value in node.value:
        if key.value == "INHERIT" and isinstance(value, yaml.ScalarNode):
            yield from _files(Path(os.path.normpath(path.parent / value.value)), root, {*seen, path})


def _named(path: Path, root: Path) -> str:
    """Return how messages name a file: from the root, or whole where it lies on another drive of Windows."""
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:
        return path.as_posix()


def _placed(nodes: Sequence[_Node], place: Place) -> Iterator[tuple[Place, str]]:
    """Yield the mark of each key. Mappings are merged over all files; anything else is the first one's."""
    mappings = list(takewhile(lambda named: isinstance(named[1], yaml.MappingNode), nodes))
    inner: dict[Place, list[_Node]] = {}
    for name, mapping in mappings:
        for key, value in mapping.value:
            below = (*place, str(key.value))
            if below not in inner:
                yield below, f"{name}:{key.start_mark.line + 1}"
            inner.setdefault(below, []).append((name, value))
    if nodes and isinstance(nodes[0][1], yaml.SequenceNode):
        for number, value in enumerate(nodes[0][1].value):
            yield (*place, number), f"{nodes[0][0]}:{value.start_mark.line + 1}"
            inner[*place, number] = [(nodes[0][0], value)]
    for below, values in inner.items():
        yield from _placed(values, below)
