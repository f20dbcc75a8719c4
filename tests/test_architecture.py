"""The shape of the program, as docs/architecture.md has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import errorspan

PACKAGE = Path(errorspan.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py"
}
"""Every module by its name within the package, such as `text.errors`."""
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
TALKING = {
    f"commands.{name}"
    for name in (
        "agree",
        "asking",
        "check",
        "cli",
        "estimate",
        "evidence",
        "export",
        "grade",
        "hand",
        "importing",
        "init",
        "keeping",
        "new",
        "prompts",
        "render",
        "reporting",
        "runtimes",
        "solve",
        "telling",
        "visiting",
    )
}


def listed() -> list[str]:
    """Return the modules of the page's map, from the top.

    Its lines begin with a room (`text/`), with a module in the last room, indented, or with one that is in none.
    """
    block = re.search(r"## Rooms.*?```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert block
    names: list[str] = []
    room = ""
    for line in block[1].splitlines():
        indent, name, slash = re.match(r"( *)([a-z_]*)(/?)", line).groups()  # type: ignore[union-attr]
        if slash:
            room = name
        elif name:
            names.append(f"{room}.{name}" if indent else name)
    return names


def room(name: str) -> str:
    """Return the room of a module; the module itself where it is in none."""
    return name.partition(".")[0]


def tree(name: str) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(FILES[name].read_text("utf-8"))


def imports(name: str) -> Iterator[str]:
    """Return the dotted names of all that a module imports, anywhere in it."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the package"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(name: str) -> set[str]:
    """Return the package's modules that a module imports."""
    found = set()
    for dotted in imports(name):
        if dotted.startswith("errorspan."):
            inner = dotted.removeprefix("errorspan.")
            matches = [module for module in FILES if f"{inner}.".startswith(f"{module}.")]
            assert matches, f"{name} imports {dotted}, which is no module: a room hands out nothing"
            found.add(matches[0])
    return found


def users(package: str) -> set[str]:
    """Return the modules that import a package."""
    return {name for name in FILES if any(dotted.split(".")[0] == package for dotted in imports(name))}


def test_the_map_has_every_module_and_no_other() -> None:
    assert sorted(listed()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_module_imports_from_those_above_it(name: str) -> None:
    order = listed()
    assert own(name) <= set(order[: order.index(name)])


def test_rooms_import_in_one_direction() -> None:
    """The map lists a room's modules together, so its order is one of rooms too."""
    order = [room(name) for name in listed()]
    rooms = list(dict.fromkeys(order))
    assert order == sorted(order, key=rooms.index)
    for name in FILES:
        assert {room(other) for other in own(name)} <= set(rooms[: rooms.index(room(name)) + 1])


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_says_what_is_at_home_there_and_hands_out_nothing(name: str) -> None:
    (said,) = ast.parse((PACKAGE / name / "__init__.py").read_text("utf-8")).body
    assert isinstance(said, ast.Expr)
    text = ast.literal_eval(said.value)
    assert "At home here:" in text
    assert "Not at home:" in " ".join(text.split())


def test_imports_are_found() -> None:
    assert {"authoring.settings", "steps.prompting", "record.record"} <= own("pipeline")
    assert {"checks.answers", "checks.check"} <= own("steps.table")
    assert not own("text.errors")


@pytest.mark.parametrize("name", FILES)
def test_a_module_is_no_longer_than_a_person_reads(name: str) -> None:
    assert len(FILES[name].read_text("utf-8").splitlines()) <= 300


def test_one_door_to_a_model() -> None:
    assert users("anthropic") == {"models.connection"}


def test_the_sdk_is_imported_where_it_is_needed() -> None:
    for node in tree("models.connection").body:
        assert not (isinstance(node, ast.Import | ast.ImportFrom) and "anthropic" in ast.unparse(node))


def test_a_place_for_each_frame() -> None:
    site = {f"site.{name}" for name in ("bodies", "frames", "gathering", "mkdocs", "placing", "serving")}
    assert users("mkdocs") == site | {"commands.opening"}
    talking = users("click") | users("rich")
    assert {name for name in talking if room(name) != "commands"} == {"site.serving"}  # it asks what MkDocs was told


def test_only_commands_print() -> None:
    said = re.compile(r"(print|(click\.)?s?echo|sys\.(stdout|stderr)\.write|warnings\.warn|Console)")
    talkers = {
        name
        for name in FILES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and said.fullmatch(ast.unparse(node.func))
    }
    assert talkers == TALKING


def test_no_module_is_named_where_a_step_is_meant() -> None:
    """Steps are rows of a table: no other module decides by a step's name."""
    from errorspan.steps.table import SOLVE, STEPS

    names = {step.name for step in STEPS + SOLVE}
    for name in sorted(set(FILES) - {"steps.table"}):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Compare):
                compared = {part.value for part in (node.left, *node.comparators) if isinstance(part, ast.Constant)}
                assert not compared & names, f"{name}:{node.lineno}"
