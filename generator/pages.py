"""Make pages of runs: a pure function of runs, templates and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from generator import markup, overview
from generator.checks import made_on_line
from generator.exercise import Exercise
from generator.outputs import Assessment, Implementation
from generator.prices import AS_OF
from generator.progress import money
from generator.runs import Run
from generator.settings import Settings
from generator.steps import ASSESS, ATTEMPT, PREPARE, STEPS
from generator.verdicts import REASONS, mid_label

FOLDER = "assets/errorspan"
STYLES = (f"{FOLDER}/errorspan.css", f"{FOLDER}/exercise.css")
SCRIPTS = (f"{FOLDER}/errorspan.js",)


@dataclass(frozen=True)
class Page:
    """A file of the site: a Markdown page, or an asset. `source`: the file that its author wrote."""

    uri: str
    content: str
    in_nav: bool = False
    source: str | None = None


def render(runs: Sequence[Run], settings: Settings, *, index: str = "") -> Iterator[Page]:
    """Yield every page of a course. `index` is what a link to a folder needs: `index.html` where no server adds it."""
    exercises = {run.topic.id: exercise(run, index) for run in runs if run.publishable}
    for run in runs:
        known: dict[str, Any] = {
            "run": run,
            "exercise": exercises.get(run.topic.id),
            "settings": settings,
            "index": index,
        }
        yield Page(f"runs/{run.topic.id}/index.md", _rendered("run.md.j2", **known), source=run.topic.path)
        if run.topic.id in exercises:
            yield Page(
                f"exercises/{run.topic.id}/index.md", _rendered("exercise.md.j2", **known), source=run.topic.path
            )
            yield Page(f"exercises/{run.topic.id}/key.js", exercises[run.topic.id].key_script)
    listed: dict[str, Any] = {"runs": runs, "exercises": exercises, "settings": settings, "index": index}
    yield Page("exercises/index.md", _rendered("exercises.md.j2", **listed), in_nav=True)
    yield Page("runs/index.md", _rendered("runs.md.j2", overview=overview.of(runs, settings), **listed), in_nav=True)


def assets() -> Iterator[Page]:
    """Yield the styles and the script that the pages need."""
    for path in (*STYLES, *SCRIPTS):
        yield Page(path, files("generator").joinpath("assets", path.rpartition("/")[2]).read_text("utf-8"))


def exercise(run: Run, index: str = "") -> Exercise:
    """Return a complete run's exercise.

    A topic that names no concepts is found by its level's subtopics: the errors' own concepts would tell what to look for.
    """
    if run.assessment is None or run.verdict is None:
        raise ValueError(f"{run.topic.id} has no assessment")
    subtopics = run.outputs["categories"]
    return Exercise(
        id=run.topic.id,
        title=run.assessment.title,
        level=run.topic.level,
        concepts=tuple(run.topic.concepts or getattr(subtopics, run.topic.level or "intermediate")),
        assessment=run.assessment,
        failures=run.verdict.failures,
        run_url=f"../../runs/{run.topic.id}/{index}",
    )


def marked_lines(assessment: Assessment) -> list[Markup]:
    """Return the assessment's code as highlighted HTML, line by line, with its error spans marked."""
    opening = Markup('<span class="error-span" data-error-id="{}" data-concept="{}">')
    marks = [
        (span.start, span.end, opening.format(error.id, error.concept))
        for error in assessment.errors
        if (span := assessment.span(error))
    ]
    return markup.code_lines(assessment.code, assessment.language, marks)


def quoted_line(quote: str, implementation: Implementation) -> int | None:
    """Return the line (from 1) of an implementation's text on which a quote starts, where that is code."""
    start = implementation.text.find(quote.strip())
    inside = any(first <= start < last for first, last in implementation.fenced)
    return implementation.text.count("\n", 0, start) + 1 if start >= 0 and inside else None


def _rendered(template: str, **known: Any) -> str:
    return markup.raw(_templates().get_template(template).render(**known))


def _front(text: str) -> Markup:
    """Return text as a value of front matter: MkDocs' templates write it into HTML as it is."""
    return Markup(json.dumps(str(markup.plain(text)), ensure_ascii=False))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("generator", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": markup.prose,
        "sentence": markup.sentence,
        "plain": markup.plain,
        "document": markup.document,
        "code": markup.code,
        "money": money,
        "percent": lambda share: f"{share:.0%}".replace("%", " %"),
        "front": _front,
    }
    environment.globals |= {
        "PREPARE": PREPARE,
        "ATTEMPT": ATTEMPT,
        "ASSESS": ASSESS,
        "STEPS": STEPS,
        "REASONS": REASONS,
        "PRICES_AS_OF": AS_OF,
        "mid_label": mid_label,
        "quoted_line": quoted_line,
        "made_on_line": made_on_line,
        "marked_lines": marked_lines,
        "timeline": overview.timeline,
    }
    return environment
