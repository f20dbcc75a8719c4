"""The shape of the program, as docs/architecture.md has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import generator

PACKAGE = Path(generator.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
COMMANDS = {"command", "asking", "evidence_commands", "export_commands", "solve_commands", "cli"}
NAMES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def listed() -> list[str]:
    """Return the modules of the page's module map, from the top: a block of code whose lines begin with a module."""
    blocks: list[list[str]] = [[]]
    for line in PAGE.read_text("utf-8").splitlines():
        if found := re.match(r"(?: {4})?([a-z_]+)(?:\.py)?(?: {2,}|$)", line):
            blocks[-1].append(found[1])
        elif line.strip():
            blocks.append([])
    return max(blocks, key=lambda block: len(set(block) & set(NAMES)))


def tree(name: str) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))


def imports(name: str) -> Iterator[str]:
    """Return the dotted names of all that a module imports, anywhere in it."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the package"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(name: str) -> set[str]:
    """Return the generator's modules that a module imports."""
    return {
        parts[1] for dotted in imports(name) if (parts := dotted.split("."))[0] == "generator" and parts[1] in NAMES
    }


def test_the_map_has_every_module_and_no_other() -> None:
    assert sorted(listed()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_module_imports_from_those_above_it(name: str) -> None:
    order = listed()
    assert name in order
    assert own(name) <= set(order[: order.index(name)])


def test_imports_are_found() -> None:
    assert {"settings", "prompting"} <= own("pipeline")
    assert "checks" in own("steps")
    assert not own("errors")


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_is_no_longer_than_a_person_reads(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300


def test_one_door_to_a_model() -> None:
    assert [name for name in NAMES if any(dotted.split(".")[0] == "anthropic" for dotted in imports(name))] == [
        "client"
    ]


def test_the_sdk_is_imported_where_it_is_needed() -> None:
    for node in tree("client").body:
        assert not (isinstance(node, ast.Import | ast.ImportFrom) and "anthropic" in ast.unparse(node))


@pytest.mark.parametrize("package", ["mkdocs", "click", "rich"])
def test_a_place_for_each_frame(package: str) -> None:
    users = {name for name in NAMES if any(dotted.split(".")[0] == package for dotted in imports(name))}
    assert (
        users
        == {
            "mkdocs": {"site", "command"},
            "click": COMMANDS,
            "rich": {"asking", "board", "cli", "command", "solve_commands"},
        }[package]
    )


def test_only_commands_print() -> None:
    said = re.compile(r"(print|(click\.)?s?echo|sys\.(stdout|stderr)\.write|warnings\.warn|Console)")
    talkers = {
        name
        for name in NAMES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and said.fullmatch(ast.unparse(node.func))
    }
    assert talkers == COMMANDS


def test_no_module_is_named_where_a_step_is_meant() -> None:
    """Steps are rows of a table: no other module decides by a step's name."""
    from generator.steps import SOLVE, STEPS

    names = {step.name for step in STEPS + SOLVE}
    for name in sorted(set(NAMES) - {"steps"}):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Compare):
                compared = {part.value for part in (node.left, *node.comparators) if isinstance(part, ast.Constant)}
                assert not compared & names, f"{name}.py:{node.lineno}"
