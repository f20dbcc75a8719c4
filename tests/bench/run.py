"""Measure what a course costs to build, beside the same content written by hand for plain MkDocs Material.

    python tests/bench/run.py [--sizes 30,300] [--all] [--repeat 3]

Prints one Markdown table. Machines differ and are busy, so what counts is a ratio of two things measured in turns in
this one run, the least of several rounds each. Processor time is the child's alone, which neighbours disturb least.

**Recorded topics** are copies of this course's own complete runs, with their tests, proofs and reviews. In each copy
one identifier has another name, in all files alike, so that no two pages hold the same code; digests and proofs are
made to fit. Each site is built three times: with nothing kept of it (*cold*), again (*warm*), and with the title of one
topic changed. The plain site has the same configuration without the hook, and
for each topic the two pages that its author would have written (`plain_*.md.j2`): the same text under real headings,
in lists and tables, the same code in fences, just as often. Its run pages, too, are left out of search and navigation.
It has no counterpart of the exercise's marks and key. "Words" says how near the two are in what a reader sees.

**The cold run** asks a server on this machine that waits before each answer. Its critical path is six answers in a row
(two of the eight have company), or more where calls queue. From the first call on it is told apart from starting.

**Replay** is compared with parsing the same files as JSON and YAML, **rendering** with Python-Markdown on plain pages.
**Unchanged topics** are found by what their files hold.
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
from shutil import copyfile, copytree, rmtree
from statistics import median
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
from werkzeug import Request, Response

from conftest import HOOK, MKDOCS, ROOT, Project
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import read_topics
from errorspan.course import Course
from errorspan.proof import agreeing, proofs
from errorspan.record.manifest import digest
from errorspan.runs.publishing import withheld
from errorspan.runs.run import Run
from errorspan.site import pages
from errorspan.site.inputs import Inputs
from errorspan.site.pages import Making
from messages_api import MessagesAPI

CONFIG = """\
INHERIT: {root}/mkdocs.yml
theme: {{custom_dir: {root}/overrides}}
hooks: [{hook}]
extra: {{generator: {{modules: []}}}}
not_in_nav: |
  /runs/*/index.md
  /exercises/*/index.md
"""
FOLDERS = {"run": "runs", "exercise": "exercises"}
TEMPLATES = FileSystemLoader(Path(__file__).parent)
PLAIN = Environment(loader=TEMPLATES, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
PARSERS = {".json": json.loads, ".yml": yaml.safe_load}
CALLS, CALLS_IN_A_ROW = 8, 6
COLD_TOPICS, LATENCY, MAX_CALLS = 50, 2.0, 16
REPLAYED, RENDERED = 300, 60

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
        beside = list((ROOT / "topics").glob(f"{topic}.*"))
        for path in beside:
            copyfile(path, folder / "topics" / path.name.replace(topic, f"{topic}-{number}", 1))
        own = [*(folder / "topics").glob(f"{topic}-{number}.[rt]*"), *copied.rglob("*")]
        for path in [path for path in own if path.is_file()]:
            text = path.read_text("utf-8")
            path.write_text(re.sub(rf"\b{names[topic]}\b", f"{names[topic]}_{number}", text), "utf-8")
        mend(copied, folder / "topics" / f"{topic}-{number}.review.yml")
    bind(folder)


def mend(record: Path, review: Path) -> None:
    """Have the digests of a record, and the one in its review, be those of its files."""
    manifest = json.loads((record / "run.json").read_text("utf-8"))
    for file, entry in manifest["answers"].items():
        before, entry["digest"] = entry["digest"], digest((record / file).read_text("utf-8"))
        if review.exists():
            review.write_text(review.read_text("utf-8").replace(before, entry["digest"]), "utf-8")
    (record / "run.json").write_text(json.dumps(manifest, indent=2), "utf-8")


def bind(folder: Path) -> None:
    """Have answers say that they are to what is asked now, and proofs that they are of what is there now."""
    copied = course(folder)
    for topic in copied.chosen(()):
        [run] = copied.replay([topic.id])
        record = copied.record(topic)
        manifest = json.loads(record.own("run.json").read_text("utf-8"))
        for answer in [*run.answers, *run.solutions]:
            if answer.changed:
                entry = manifest["answers"][answer.file]
                entry["key" if "key" in entry else "basis"] = answer.changed
        record.own("run.json").write_text(json.dumps(manifest, indent=2), "utf-8")
        for name in (proofs.FILE, agreeing.FILE):
            if run.evidence.bound and record.own(name).exists():
                told = json.loads(record.own(name).read_text("utf-8")) | {"bound": run.evidence.bound.model_dump()}
                record.own(name).write_text(json.dumps(told, indent=2), "utf-8")


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


def build(folder: Path, *, keeping: bool = False) -> Cost:
    """Build a site in a process of its own. Its peak is never below this process's: hold no course while building."""
    rmtree(folder / "site", ignore_errors=True)
    if not keeping:
        rmtree(folder / ".cache", ignore_errors=True)
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


def change(folder: Path, number: int) -> None:
    """Save one topic with another title."""
    path = min((folder / "topics").glob("*-0.yml"))
    path.write_text(re.sub(r"(?m)^title: .*", f"title: Saved {number} times", path.read_text("utf-8")), "utf-8")


def taken(ours: Path, number: int) -> Iterator[Cost]:
    """Build a course with nothing kept of it, with all, and with all but one topic."""
    yield build(ours)
    yield build(ours, keeping=True)
    change(ours, number)
    yield build(ours, keeping=True)


def words(site: Path) -> int:
    """Count the words that a reader sees in the articles of a site's topics."""
    paths = [path for below in FOLDERS.values() for path in site.glob(f"site/{below}/*/index.html")]
    articles = (path.read_text("utf-8").partition("<article")[2].partition("</article>")[0] for path in paths)
    return sum(len(re.sub(r"<[^>]*>", "", article).split()) for article in articles)


def recorded(runs: Sequence[Run], count: int, repeat: int) -> Iterator[Row]:
    """Build recorded topics."""
    with TemporaryDirectory() as temporary:
        ours, plain = sites(runs, count, Path(temporary))
        rounds = [[*taken(ours, number), build(plain)] for number in range(repeat)]
        *mine, other = (Cost(*map(min, zip(*costs, strict=True))) for costs in zip(*rounds, strict=True))
        read = [words(site) for site in (ours, plain)]
        sized = list(sizes(ours, plain))
    for how, cost in zip(("cold", "warm", "one topic changed"), mine, strict=True):
        what = f"{count:,} topics, {how}"
        yield (
            f"{what}: processor",
            f"{cost.processor:.1f} s",
            f"{other.processor:.1f} s plain",
            cost.processor / other.processor,
        )
        yield f"{what}: by the clock", f"{cost.wall:.1f} s", f"{other.wall:.1f} s plain", cost.wall / other.wall
        yield f"{what}: memory", f"{cost.memory:.0f} MB", f"{other.memory:.0f} MB plain", cost.memory / other.memory
    yield f"{count:,} topics: words", f"{read[0]:,}", f"{read[1]:,} plain", read[0] / read[1]
    for name, one, beside in sized:
        yield f"{count:,} topics: {name}", f"{one / 1000:,.1f} KB", f"{beside / 1000:,.1f} KB plain", one / beside


def sizes(ours: Path, plain: Path) -> Iterator[tuple[str, float, float]]:
    """Yield how large the search's index and pages are, these in the middle, in bytes."""
    yield "search index", *((site / "site/search/search_index.json").stat().st_size for site in (ours, plain))
    for kind, below in FOLDERS.items():
        found = [[path.stat().st_size for path in site.glob(f"site/{below}/*/index.html")] for site in (ours, plain)]
        yield f"page of {'an' if kind == 'exercise' else 'a'} {kind}", *map(median, found)


def cold() -> Iterator[Row]:
    """Ask for topics that have no record."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    api, server = MessagesAPI(latency=LATENCY), HTTPServer(host="127.0.0.1", threaded=True)
    answered: list[float] = []

    def handled(request: Request) -> Response:
        answered.append(perf_counter())
        try:
            return api(request)
        finally:
            answered.append(perf_counter())

    server.expect_request("/v1/messages", method="POST").respond_with_handler(handled)
    with server, TemporaryDirectory() as temporary:
        api.url = server.url_for("").rstrip("/")
        project = Project(Path(temporary), api)
        limits = f"max_calls: {MAX_CALLS}\n    max_cost_usd: 1000"
        project.write("mkdocs.yml", MKDOCS.format(hook=HOOK).replace("max_retries: 1", limits))
        for number in range(COLD_TOPICS):
            project.topic(f"topic-{number}")
        took, asked = timed(lambda: project.errorspan("run", cold=True))
        started, _ = timed(lambda: project.errorspan("status", cold=True))
        imported, _ = timed(
            lambda: project.run("timeit", "-n1", "-r1", "import anthropic; anthropic.Anthropic()", cold=True)
        )
    if asked.returncode or len(api.calls) != CALLS * COLD_TOPICS:
        raise click.ClickException(f"{len(api.calls)} calls were made\n{asked.stderr}")
    path = LATENCY * max(CALLS_IN_A_ROW, CALLS * COLD_TOPICS / MAX_CALLS)
    what = f"cold run of {COLD_TOPICS} topics, {LATENCY} s a call"
    told = {
        what: took,
        "… from the first call on": max(answered) - min(answered),
        "… starting, asking nothing": started,
        "… importing the SDK": imported,
    }
    for name, seconds in told.items():
        yield name, f"{seconds:.1f} s", f"{path:.1f} s critical path", seconds / path


def replay(runs: Sequence[Run], repeat: int) -> Iterator[Row]:
    """Replay records, find them unchanged, and render pages."""
    configured = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["markdown_extensions"]
    markdown = Markdown(extensions=[next(iter(name)) if isinstance(name, dict) else name for name in configured])
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copies(runs, REPLAYED, folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        replayed, looked, parsed = in_turns(
            repeat,
            lambda: course(folder).replay(),
            lambda: looked_for(course(folder)),
            lambda: [PARSERS.get(path.suffix, str)(path.read_text("utf-8")) for path in files],
        )
        shown = course(folder).replay()[:: REPLAYED // RENDERED]
    hand = [by_hand(run, kind) for run in shown for kind in FOLDERS]
    work = (lambda: list(pages.render(shown, Settings()))), (lambda: [markdown.reset().convert(text) for text in hand])
    rendered, converted = in_turns(repeat, *work)
    for what, seconds in (("reading and checking a topic", replayed), ("finding a topic unchanged", looked)):
        one, least = (1000 * took / REPLAYED for took in (seconds, parsed))
        yield what, f"{one:.2f} ms", f"{least:.2f} ms only parsed", one / least
    page, other = (seconds / len(hand) * 1000 for seconds in (rendered, converted))
    yield "rendering a page", f"{page:.1f} ms", f"{other:.1f} ms Python-Markdown", page / other


def looked_for(copied: Course) -> None:
    """Work out what reaches each topic's pages."""
    inputs = Inputs(copied, Making(copied.settings))
    for topic in copied.topics:
        inputs.key(topic)


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
@click.option("--sizes", default="30,300", show_default=True, help="How many recorded topics to build.")
@click.option("--all", "largest", is_flag=True, help="Build 1,000 recorded topics, too, once.")
@click.option("--repeat", default=3, show_default=True, help="Rounds; the least of each side counts.")
def main(sizes: str, *, largest: bool, repeat: int) -> None:
    """Print what this course costs, as a Markdown table."""
    runs = [run for run in course(ROOT).replay() if not withheld(run, "checked")]
    counts = [*map(int, filter(None, sizes.split(","))), *([1000] if largest else [])]
    parts = [recorded(runs, count, repeat if count < 1000 else 1) for count in counts]
    click.echo("| what | Errorspan | beside it | ratio |\n|---|--:|--:|--:|")
    for what, ours, other, ratio in chain(*parts, cold(), replay(runs, repeat)):
        click.echo(f"| {what} | {ours} | {other} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
