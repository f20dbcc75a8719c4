"""Fixtures: a project of its own for each test, and a server that speaks the Messages API."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest
from pytest_httpserver import HTTPServer

import warm
from errorspan.authoring.settings import PULL_REQUESTS
from messages_api import MessagesAPI

hypothesis.settings.register_profile("busy", deadline=None)  # machines are noisy: no test is timed
hypothesis.settings.load_profile("busy")

signal.signal(signal.SIGINT, signal.default_int_handler)  # `nohup` and `&` have it ignored, and commands inherit that

ROOT = Path(__file__).parent.parent
HOOK = ROOT / "generator" / "hook.py"

MKDOCS = """\
site_name: A course
site_url: https://course.example/sub/
theme:
  name: material
  font: false
  features: [navigation.instant]
nav:
  - Home: index.md
  - Exercises: exercises/index.md
  - Runs: runs/index.md
hooks: [{hook}]
plugins: [search]
extra:
  generator:
    models: {{author: author-model, mid: mid-model, weak: weak-model, judge: judge-model, first_solver: first-model, second_solver: second-model}}
    max_retries: 1
    prices:
      author-model: {{input: 2, output: 10}}
      mid-model: {{input: 0.1, output: 0.5}}
      weak-model: {{input: 1, output: 5}}
      judge-model: {{input: 4, output: 20}}
      first-model: {{input: 2, output: 10}}
      second-model: {{input: 0.1, output: 0.5}}
"""  # noqa: E501


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that writes golden files anew."""
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a browser, so that it can be left out where there is none; ask a real model only where told."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    if "live" not in config.getoption("markexpr"):
        live = [item for item in items if item.get_closest_marker("live")]
        items[:] = [item for item in items if item not in live]
        config.hook.pytest_deselected(items=live)


class Project:
    """A site in a folder, driven through its commands, as a person would."""

    def __init__(self, folder: Path, api: MessagesAPI) -> None:
        self.folder = folder
        self.api = api
        self.environment = {"ANTHROPIC_API_KEY": "sk-test-canary", "ANTHROPIC_BASE_URL": api.url}

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def topic(self, name: str, text: str = "title: Counting words\nlanguage: python\n") -> None:
        """Write a topic file."""
        self.write(f"topics/{name}.yml", text)

    def run(
        self, *command: str, key: bool = True, cold: bool = False, timeout: float = 300, within: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment that the tests run in; `within` goes before it, such as `nice`.

        It finds its modules imported, unless it starts `cold`; how strings are hashed is the same in all that do.
        Without a key it cannot import the SDK.
        """
        if not cold and not within:
            return warm.run(command, self.folder, self._environment(key=key), timeout, sdk=key)
        return subprocess.run(
            [*within, sys.executable, "-m", *command],
            cwd=self.folder,
            env=self._environment(key=key),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command, to be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self._environment(key=True),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def build(self, *more: str, key: bool = True, cold: bool = False) -> subprocess.CompletedProcess[str]:
        """Build the site."""
        return self.run("mkdocs", "build", *more, key=key, cold=cold)

    def errorspan(self, *words: str, key: bool = True, cold: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the project's own command."""
        return self.run("errorspan.commands.cli", *words, key=key, cold=cold)

    def files(self, folder: str) -> dict[str, bytes]:
        """Return every file below a folder, by its path."""
        below = self.folder / folder
        return {path.relative_to(below).as_posix(): path.read_bytes() for path in below.rglob("*") if path.is_file()}

    def page(self, name: str) -> str:
        """Return a page of the built site."""
        return (self.folder / "site" / name / "index.html").read_text("utf-8")

    def run_pages(self, topic: str) -> str:
        """Return the page of a run with all those below it, one after the other."""
        own = self.folder / "site/runs" / topic
        below = sorted(own.glob("*/index.html"))
        return "".join(page.read_text("utf-8") for page in [own / "index.html", *below])

    def _environment(self, *, key: bool) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
        return kept | {"NO_MKDOCS_2_WARNING": "1"} | (self.environment if key else {})


@pytest.fixture(scope="session", autouse=True)
def _of_this_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what a machine notes of proofs apart, and what says that these tests run for a pull request out of them."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    for name in PULL_REQUESTS:
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a connection to anything but this machine an error."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:  # type: ignore[index]
            raise AssertionError(f"a test connects to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def serve() -> Iterator[Callable[[MessagesAPI], str]]:
    """Return a function that serves an API and gives its address."""
    servers: list[HTTPServer] = []

    def start(api: MessagesAPI) -> str:
        server = HTTPServer(host="127.0.0.1", threaded=True)
        server.start()
        servers.append(server)
        return api.on(server)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server() -> Iterator[HTTPServer]:
    """Run one server for all tests: to stop one takes half a second."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def messages_api(server: HTTPServer, request: pytest.FixtureRequest) -> MessagesAPI:
    """Serve an API of each test's own that answers well; `request.param` may say otherwise."""
    server.clear()
    api = MessagesAPI(**getattr(request, "param", {}))
    api.on(server)
    return api


def new_project(folder: Path, api: MessagesAPI) -> Project:
    """Write a site without topics, whose commands find the API and a key."""
    project = Project(folder, api)
    project.write("mkdocs.yml", MKDOCS.format(hook=HOOK))
    project.write("docs/index.md", "# A course\n")
    (folder / "topics").mkdir()
    return project


@pytest.fixture
def project(tmp_path: Path, messages_api: MessagesAPI) -> Project:
    """Return a site without topics, whose commands find the API and a key."""
    return new_project(tmp_path, messages_api)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a run and build its site, once for all tests that only start from there: it takes seconds."""
    return _record(tmp_path_factory.mktemp("recording"), MessagesAPI())


@pytest.fixture(scope="session")
def lone_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a run whose exercise has one error."""
    return _record(tmp_path_factory.mktemp("lone"), MessagesAPI(lone=True))


def _record(folder: Path, api: MessagesAPI) -> Path:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        api.on(server)
        project = new_project(folder, api)
        project.topic("words")
        built = project.build()
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def recorded(project: Project, recording: Path) -> Project:
    """Return a project whose one topic has a run."""
    shutil.copytree(recording, project.folder, dirs_exist_ok=True)
    return project


@pytest.fixture
def lone(project: Project, lone_recording: Path) -> Project:
    """Return a project whose one topic has a run, with one error in its exercise."""
    shutil.copytree(lone_recording, project.folder, dirs_exist_ok=True)
    return project
