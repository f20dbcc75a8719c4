"""Know how tests run in each language: the program that does it inside the sandbox, and what that needs.

Each says what happens as lines of JSON, the same in all languages; `playing` reads them.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from errorspan.authoring.topics import Topic
from errorspan.proof.framing import suffix
from errorspan.proof.interpreters import Go, Interpreter, Node
from errorspan.text.errors import InputError

TESTS, PROGRAM = "tests", "exercise"
"""The files of tests and program where they run, without their endings."""

_JS_ADAPTER = re.compile(rb"^export\s+(?:async\s+)?(?:function|const|let|var)\s+adapt\b", re.MULTILINE)
_GO_ANSWERS = re.compile(rb"^//[ \t]*answers:", re.MULTILINE)
_SQL_ANSWERS = re.compile(rb"^--[ \t]*answers:", re.MULTILINE)


@dataclass(frozen=True)
class Runtime:
    """What runs tests: a command, what it reads of the machine, and what it is, by name and version.

    `python`: its version, where the tests are Python's.
    """

    command: tuple[str, ...]
    readable: tuple[Path, ...]
    versions: Mapping[str, str]
    python: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Harness:
    """How tests run whose file ends so: the program inside, what runs it, and whether tests bring an adapter.

    An adapter makes a tier's whole answer fit. `seed`: the variable by which a language's own hashes are seeded.
    """

    ending: str
    inside: str
    runtime: Callable[[Topic, Interpreter, Iterable[str]], Runtime]
    """Given the texts that run, too."""
    adapts: Callable[[bytes], bool]
    languages: tuple[str, ...] = ()
    """How programs end that are tested so, as a rule."""
    seed: str = ""


def _python(topic: Topic, interpreter: Interpreter, _: Iterable[str]) -> Runtime:
    """Return pytest; another language's program is the tests' own business."""
    return Runtime(
        command=(interpreter.executable, "-B"),
        readable=(interpreter.base, *interpreter.paths),
        versions=interpreter.versions(topic, "pytest"),
        python=interpreter.python,
        environment={
            "PYTHONPATH": os.pathsep.join(map(str, interpreter.paths)),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )


def _node(topic: Topic, interpreter: Interpreter, _: Iterable[str]) -> Runtime:
    interpreter.versions(topic)
    node = Node.of(topic, interpreter)
    types = ("--experimental-transform-types",) if node.transforms else ()
    return Runtime(
        command=(str(node.executable), "--no-warnings", *types),
        readable=(node.executable,),
        versions={"Node.js": node.version},
    )


def _sqlite(topic: Topic, interpreter: Interpreter, _: Iterable[str]) -> Runtime:
    interpreter.versions(topic)
    if interpreter.sqlite is None:
        mend = "name another Python with --python"
        raise InputError([f"{topic.path}:1: its tests need SQLite, which {interpreter.named} has not; {mend}"])
    return Runtime(
        command=(interpreter.executable, "-I", "-B"),
        readable=(interpreter.base,),
        versions={"Python": interpreter.python, "SQLite": interpreter.sqlite},
    )


def _go(topic: Topic, interpreter: Interpreter, texts: Iterable[str]) -> Runtime:
    """Return Go, and what it has compiled of its own library for these texts: once for all programs."""
    interpreter.versions(topic)
    go = Go.of(topic, interpreter)
    return Runtime(
        command=(interpreter.executable, "-I", "-B"),
        readable=(interpreter.base, go.root, go.compiled(texts)),
        versions={"Go": go.version},
        environment={"PATH": f"{go.root}/bin:/usr/bin:/bin", "GOCACHE": str(go.cache), **go.environment},
    )


def _adapts_in_python(tests: bytes) -> bool:
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == "adapt" for node in tree.body)


def _adapts_in_javascript(tests: bytes) -> bool:
    return _JS_ADAPTER.search(tests) is not None


def _adapts_in_go(tests: bytes) -> bool:
    return _GO_ANSWERS.search(tests) is not None


def _adapts_in_sql(tests: bytes) -> bool:
    return _SQL_ANSWERS.search(tests) is not None


PYTHON = Harness(".py", "inside.py", _python, _adapts_in_python, (".py",), seed="PYTHONHASHSEED")
HARNESSES = (
    PYTHON,
    Harness(".mjs", "inside.mjs", _node, _adapts_in_javascript, (".js",)),
    Harness(".ts", "inside.mjs", _node, _adapts_in_javascript, (".ts",)),
    Harness(".sql", "inside_sql.py", _sqlite, _adapts_in_sql, (".sql",)),
    Harness(".go", "inside_go.py", _go, _adapts_in_go, (".go",)),
)
"""The first whose tests are there runs them; files of the others may stand beside."""


def of(topic: str, names: Collection[str]) -> Harness | None:
    """Return the harness of a topic's tests, by the names of the files beside it; None where there are no tests."""
    return next((one for one in HARNESSES if tests(topic, one) in names), None)


def usual(language: str) -> Harness:
    """Return the harness in which a program's tests are its own language's; Python's starts any other."""
    return next((one for one in HARNESSES if suffix(language) in one.languages), PYTHON)


def tests(topic: str, harness: Harness) -> str:
    """Return the name of a topic's file of tests."""
    return f"{topic}.tests{harness.ending}"


def told(topic: str, files: Mapping[str, bytes], folder: str) -> tuple[str, str] | None:
    """Return a topic's file of tests as messages name it, and its text; None where there are no tests."""
    harness = of(topic, files)
    if harness is None:
        return None
    name = tests(topic, harness)
    return f"{folder}/{name}", files[name].decode("utf-8", "replace")
