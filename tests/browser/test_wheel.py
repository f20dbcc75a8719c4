"""The wheel, without the clone: what is in it, and the whole way from an empty folder to a checked exercise."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mkdocs
import pytest
import yaml
from playwright.sync_api import Browser, expect

import errorspan
from conftest import ROOT
from errorspan.course import Course

TOPIC = "idempotent-payment-webhooks"
FOLDER = "a teacher's course"
STARTER = "errorspan/commands/starter"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def test_the_wheel_holds_the_package_and_the_topic_of_a_new_course(wheel: Path) -> None:
    """So no data is missing, `hook` and `generator` are no modules, and no test is installed."""
    package = Path(errorspan.__file__).parent
    expected = {f"errorspan/{path.relative_to(package).as_posix()}" for path in files(package)}
    topics = [*(ROOT / "topics").glob(f"{TOPIC}.*"), *files(ROOT / "topics/runs" / TOPIC)]
    expected |= {f"{STARTER}/{path.relative_to(ROOT).as_posix()}" for path in topics}
    names = zipfile.ZipFile(wheel).namelist()
    held = {name for name in names if not re.match(r"errorspan-[^/]+\.dist-info/", name)}
    assert held == expected
    assert len(names) == len(set(names))
    suffixes = {Path(name).suffix for name in held}
    assert {".py", ".j2", ".js", ".css", ".json", ".yml", ".md"} <= suffixes


class Environment:
    """A virtual environment with the wheel, and a person who types in its shell."""

    def __init__(self, folder: Path, wheel: Path, *, fresh: bool) -> None:
        self.folder = folder
        venv.create(folder, symlinks=os.name != "nt")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "PYTHON"))}
        self.variables = {**kept, "PATH": f"{folder}/bin:{kept['PATH']}"}
        if fresh:
            self.pip("install", str(wheel))
            return
        self.pip("install", "--no-deps", "--no-index", str(wheel))
        (packages,) = folder.glob("lib/*/site-packages")  # its own; those of the tests' environment stand after them,
        (packages / "others.pth").write_text(f"{Path(mkdocs.__file__).parent.parent}\n")  # without the clone's package
        script = folder / "bin/mkdocs"
        script.write_text(f"#!{folder}/bin/python\nfrom mkdocs.__main__ import cli\ncli()\n", "utf-8")
        script.chmod(0o755)

    def pip(self, *words: str, cwd: Path | None = None) -> None:
        """Run pip for this environment, which has none of its own."""
        base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
        command = [str(base), "-m", "pip", "--python", f"{self.folder}/bin/python", "--quiet", *words]
        subprocess.run(command, cwd=cwd, check=True)

    def type(self, line: str, cwd: Path, **more: str) -> str:
        """Type a line into a shell; return what is printed."""
        typed = ["sh", "-euc", line]
        done = subprocess.run(
            typed, cwd=cwd, env=self.variables | more, text=True, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def serving(environment: Environment, line: str, cwd: Path) -> Iterator[str]:
    """Type a line that serves a site; give the site's address once it answers, and stop it in the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = cwd / "serve.log"
    with log.open("w") as out:
        typed = ["sh", "-euc", f"{line} -a {address}"]
        process = subprocess.Popen(typed, cwd=cwd, env=environment.variables, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 120
        while not _answers(f"http://{address}/"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.2)
        yield f"http://{address}/"
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=60).close()
    except OSError:
        return False
    return True


@pytest.mark.sandbox
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "fresh", [False, pytest.param(True, marks=pytest.mark.heavy)], ids=["dependencies of the tests", "fresh"]
)
def test_the_wheel_alone_makes_a_course(wheel: Path, tmp_path: Path, browser: Browser, *, fresh: bool) -> None:
    environment = Environment(tmp_path / "environment", wheel, fresh=fresh)
    said = environment.type(f"errorspan init {shlex.quote(FOLDER)}", tmp_path)
    enter, serve, *add = (line.strip() for line in said.splitlines() if line.startswith("  "))
    assert (shlex.split(enter), serve) == (["cd", FOLDER], "mkdocs serve")
    course = tmp_path / FOLDER
    assert (course / "topics" / f"{TOPIC}.tests.py").read_bytes() == (
        ROOT / "topics" / f"{TOPIC}.tests.py"
    ).read_bytes()

    with serving(environment, f"{enter}; exec {serve}", tmp_path) as url:
        play(browser, url)

    where = "import errorspan, importlib.util as u; print(errorspan.__file__, *map(u.find_spec, ['hook', 'generator']))"
    module, *others = environment.type(f'python -c "{where}"', course).split()
    assert Path(module).is_relative_to(environment.folder)
    assert others == ["None", "None"]
    assert re.search(rf"^ {TOPIC} .* published *$", environment.type("errorspan status", course), re.MULTILINE)
    publish(environment, wheel, course)
    assert "rate-limiting" in environment.type("; ".join(add), course)


def play(browser: Browser, url: str) -> None:
    """Do the first exercise as a student would, on a site that asks no other."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith(url) else None)
    page.goto(url)
    expect(page).to_have_title("A teacher's course")
    page.evaluate("window.here = true")
    page.get_by_role("link", name="Start with an exercise").click()
    page.wait_for_url(f"{url}exercises/{TOPIC}/")
    rows = page.locator("errorspan-exercise .es-row")
    shipped = Course.read(ROOT / "mkdocs.yml", {})
    (run,) = shipped.replay([TOPIC])
    assert run.assessment
    for error in run.assessment.errors:
        span = run.assessment.span(error)
        assert span
        rows.nth(span.first - 1).click(position={"x": 120, "y": 10})
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".es-result")).to_contain_text("100")
    assert page.evaluate("window.here"), "navigation.instant loaded a page anew"
    context.close()
    assert not faults


def publish(environment: Environment, wheel: Path, course: Path) -> None:
    """Do what the workflow does, without a network but for what pip would ask it."""
    workflow = yaml.safe_load((course / ".github/workflows/publish.yml").read_text("utf-8"))
    install, *_, build = (step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step)
    assert install == "pip install -r requirements.txt"
    (course / "wheels").mkdir()
    (course / "wheels" / wheel.name).write_bytes(wheel.read_bytes())
    environment.pip("download", "--no-deps", "--no-index", "-r", "requirements.txt", "-d", "found", cwd=course)
    assert [path.name for path in (course / "found").iterdir()] == [wheel.name]
    offline = "bwrap --dev-bind / / --unshare-net --die-with-parent "
    environment.type(offline + build, course, SITE_URL="https://teacher.example/errors")  # no slash at its end
    sitemap = (course / "site/sitemap.xml").read_text("utf-8")
    assert f"<loc>https://teacher.example/errors/exercises/{TOPIC}/</loc>" in sitemap
    assert 'href="/errors/assets/' in (course / "site/404.html").read_text("utf-8")
    assert (course / f"site/exercises/{TOPIC}/key.js").is_file()


def files(folder: Path) -> Iterator[Path]:
    """Yield what stands below a folder; Python's own caches do not count."""
    yield from (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
