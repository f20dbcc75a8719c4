"""Measure what a course costs to build, beside the same content written by hand for plain MkDocs Material.

    python tests/bench/run.py [--sizes 30,300] [--all] [--repeat 3]

Prints one Markdown table. Machines differ and are busy, so what counts is a ratio of two things measured in turns in
this one run, the least of several rounds each. Processor time is the child's alone, which neighbours disturb least.

**Cached topics** are copies of this course's own complete runs. In each copy one identifier has another name, in all
files alike, so that no two pages hold the same code. The plain site has the same configuration without the hook, and
for each topic the two pages that its author would have written (`plain_*.md.j2`): the same text under real headings,
in lists and tables, the same code in fences, just as often. Its run pages, too, are left out of search and navigation.
It has no counterpart of the exercise's marks and key. "Words" says how near the two are in what a reader sees.

**The cold run** asks a server on this machine that waits before each answer. Its critical path is six answers in a row
(two of the eight have company), or more where calls queue. Nothing is subtracted; start-up is told apart below it.

**Replay** is compared with parsing the same files as JSON and YAML, **rendering** with Python-Markdown on plain pages.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import click
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown import Markdown
from pygments.lexers import get_lexer_by_name
from pygments.token import Name
from pytest_httpserver import HTTPServer

from conftest import HOOK, MKDOCS, ROOT, Project
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import read_topics
from errorspan.course import Course
from errorspan.runs.publishing import withheld
from errorspan.runs.run import Run
from errorspan.site import pages
from messages_api import MessagesAPI

CONFIG = """\
INHERIT: {root}/mkdocs.yml
theme: {{custom_dir: {root}/overrides}}
hooks: [{hook}]
not_in_nav: |
  /runs/*/index.md
  /exercises/*/index.md
"""
FOLDERS = {"run": "runs", "exercise": "exercises"}
TEMPLATES = FileSystemLoader(Path(__file__).parent)
PLAIN = Environment(loader=TEMPLATES, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
PARSERS = {".json": json.loads, ".yml": yaml.safe_load}
CALLS, CALLS_IN_A_ROW = 8, 6
COLD_TOPICS, LATENCY, MAX_CALLS = 8, 0.3, 16
REPLAYED, RENDERED = 1000, 60

Row = tuple[str, str, str, float]


class Cost(NamedTuple):
    """What a build took: seconds by the clock and of the processor, megabytes of memory at its peak."""

    wall: float
    processor: float
    memory: float


def course(folder: Path) -> Course:
    """Return the course in a folder, with default settings."""
    return Course(folder, Settings(), *read_topics(folder / "topics", folder))


def identifier(run: Run) -> str:
    """Return the name that the weak implementation uses most and that no answer has as a key."""
    keys = {key for answer in run.answers for key in re.findall(r'"(\w+)":', answer.recorded.text)}
    tokens = get_lexer_by_name(run.assessment.language).get_tokens(run.last.outputs["weak_implementation"].code)
    names = Counter(text for kind, text in tokens if kind in Name and len(text) > 4 and text.isidentifier())
    return next(name for name, _ in names.most_common() if name not in keys)


def copies(runs: Sequence[Run], count: int, folder: Path) -> None:
    """Write a course of so many topics, copied from runs in turn."""
    names = {run.topic.id: identifier(run) for run in runs}
    for number in range(count):
        topic = runs[number % len(runs)].topic.id
        copied = folder / "topics" / "runs" / f"{topic}-{number}"
        copytree(ROOT / "topics" / "runs" / topic, copied)
        for path in [path for path in copied.rglob("*") if path.is_file()]:
            text = path.read_text("utf-8")
            path.write_text(re.sub(rf"\b{names[topic]}\b", f"{names[topic]}_{number}", text), "utf-8")
        (folder / "topics" / f"{topic}-{number}.yml").write_bytes((ROOT / "topics" / f"{topic}.yml").read_bytes())


def by_hand(run: Run, kind: str) -> str:
    """Return a page as an author would write it."""
    return PLAIN.get_template(f"plain_{kind}.md.j2").render(run=run)


def sites(runs: Sequence[Run], count: int, folder: Path) -> tuple[Path, Path]:
    """Write the course and its plain counterpart."""
    ours, plain = folder / "ours", folder / "plain"
    for site, hook in ((ours, HOOK), (plain, "")):
        copytree(ROOT / "docs", site / "docs")
        (site / "mkdocs.yml").write_text(CONFIG.format(root=ROOT, hook=hook), "utf-8")
    copies(runs, count, ours)
    copied = course(ours)
    for topic in copied.chosen(()):
        [run] = copied.replay([topic.id])
        if withheld(run, "checked"):
            raise click.ClickException(f"{topic.id} has no exercise: {run.faults}")
        for kind, below in FOLDERS.items():
            page = plain / "docs" / below / topic.id / "index.md"
            page.parent.mkdir(parents=True)
            page.write_text(by_hand(run, kind), "utf-8")
    for below in FOLDERS.values():
        links = "".join(f"- [{topic.title}]({topic.id}/index.md)\n" for topic in copied.chosen(()))
        (plain / "docs" / below / "index.md").write_text(f"# All {below}\n\n{links}", "utf-8")
    return ours, plain


def build(folder: Path) -> Cost:
    """Build a site in a process of its own. Its peak is never below this process's: hold no course while building."""
    rmtree(folder / "site", ignore_errors=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    start = perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "mkdocs", "build", "--quiet"],
        cwd=folder,
        env=kept | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
    )
    _, status, used = os.wait4(child.pid, 0)
    wall = perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise click.ClickException(f"mkdocs build failed in {folder.name}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))


def words(site: Path) -> int:
    """Count the words that a reader sees in the articles of a site's topics."""
    paths = [path for below in FOLDERS.values() for path in site.glob(f"site/{below}/*/index.html")]
    articles = (path.read_text("utf-8").partition("<article")[2].partition("</article>")[0] for path in paths)
    return sum(len(re.sub(r"<[^>]*>", "", article).split()) for article in articles)


def cached(runs: Sequence[Run], count: int, repeat: int) -> Iterator[Row]:
    """Build cached topics."""
    with TemporaryDirectory() as temporary:
        both = sites(runs, count, Path(temporary))
        rounds = [[build(site) for site in both] for _ in range(repeat)]
        ours, plain = (Cost(*map(min, zip(*costs, strict=True))) for costs in zip(*rounds, strict=True))
        read = [words(site) for site in both]
    what = f"{count:,} cached topics"
    for name, unit, mine, other in zip(Cost._fields, ("s", "s", "MB"), ours, plain, strict=True):
        yield f"{what}: {name}", f"{mine:.1f} {unit}", f"{other:.1f} {unit} plain", mine / other
    yield f"{what}: words", f"{read[0]:,}", f"{read[1]:,} plain", read[0] / read[1]


def cold() -> Iterator[Row]:
    """Ask for topics that have no record."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    api, server = MessagesAPI(latency=LATENCY), HTTPServer(host="127.0.0.1", threaded=True)
    server.expect_request("/v1/messages", method="POST").respond_with_handler(api)
    with server, TemporaryDirectory() as temporary:
        api.url = server.url_for("").rstrip("/")
        project = Project(Path(temporary), api)
        limits = f"max_calls: {MAX_CALLS}\n    max_cost_usd: 1000"
        project.write("mkdocs.yml", MKDOCS.format(hook=HOOK).replace("max_retries: 1", limits))
        for number in range(COLD_TOPICS):
            project.topic(f"topic-{number}")
        took, asked = timed(lambda: project.errorspan("run"))
        started, _ = timed(lambda: project.errorspan("status"))
        imported, _ = timed(lambda: project.run("timeit", "-n1", "-r1", "import anthropic; anthropic.Anthropic()"))
    if asked.returncode or len(api.calls) != CALLS * COLD_TOPICS:
        raise click.ClickException(f"{len(api.calls)} calls were made\n{asked.stderr}")
    path = LATENCY * max(CALLS_IN_A_ROW, CALLS * COLD_TOPICS / MAX_CALLS)
    what = f"cold run of {COLD_TOPICS} topics, {LATENCY} s a call"
    told = {what: took, "… starting, asking nothing": started, "… importing the SDK": imported}
    for name, seconds in told.items():
        yield name, f"{seconds:.1f} s", f"{path:.1f} s critical path", seconds / path


def replay(runs: Sequence[Run], repeat: int) -> Iterator[Row]:
    """Replay records and render pages."""
    configured = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["markdown_extensions"]
    markdown = Markdown(extensions=[next(iter(name)) if isinstance(name, dict) else name for name in configured])
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copies(runs, REPLAYED, folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        replayed, parsed = in_turns(
            repeat,
            lambda: course(folder).replay(),
            lambda: [PARSERS.get(path.suffix, str)(path.read_text("utf-8")) for path in files],
        )
        shown = course(folder).replay()[:: REPLAYED // RENDERED]
    hand = [by_hand(run, kind) for run in shown for kind in FOLDERS]
    work = (lambda: list(pages.render(shown, Settings()))), (lambda: [markdown.reset().convert(text) for text in hand])
    rendered, converted = in_turns(repeat, *work)
    speed, most = REPLAYED / replayed, REPLAYED / parsed
    yield f"replay of {REPLAYED:,} topics", f"{speed:,.0f} topics/s", f"{most:,.0f} topics/s parsed", most / speed
    page, other = (seconds / len(hand) * 1000 for seconds in (rendered, converted))
    yield "rendering a page", f"{page:.1f} ms", f"{other:.1f} ms Python-Markdown", page / other


def in_turns(repeat: int, *works: Callable[[], object]) -> list[float]:
    """Return the least seconds that each work takes in several rounds."""
    rounds = [[timed(work)[0] for work in works] for _ in range(repeat)]
    return [min(seconds) for seconds in zip(*rounds, strict=True)]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds some work takes, and what it returns."""
    start = perf_counter()
    done = work()
    return perf_counter() - start, done


@click.command()
@click.option("--sizes", default="30,300", show_default=True, help="How many cached topics to build.")
@click.option("--all", "largest", is_flag=True, help="Build 1,000 cached topics, too, once.")
@click.option("--repeat", default=3, show_default=True, help="Rounds; the least of each side counts.")
def main(sizes: str, *, largest: bool, repeat: int) -> None:
    """Print what this course costs, as a Markdown table."""
    runs = [run for run in course(ROOT).replay() if not withheld(run, "checked")]
    counts = [*map(int, filter(None, sizes.split(","))), *([1000] if largest else [])]
    parts = [cached(runs, count, repeat if count < 1000 else 1) for count in counts]
    click.echo("| what | Errorspan | beside it | ratio |\n|---|--:|--:|--:|")
    for what, ours, other, ratio in chain(*parts, cold(), replay(runs, repeat)):
        click.echo(f"| {what} | {ours} | {other} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
