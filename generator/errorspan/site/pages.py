"""Make pages of runs: a pure function of runs, templates and settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from errorspan.answers.outputs import Assessment, Error, Implementation
from errorspan.answers.verdicts import REASONS, mid_label, place
from errorspan.authoring.prices import AS_OF
from errorspan.authoring.settings import ASSETS_FOLDER, Settings
from errorspan.authoring.topics import Broken
from errorspan.checks.check import Remark, Undecided, united
from errorspan.checks.tracing import traced
from errorspan.proof import correcting
from errorspan.runs import publishing, report
from errorspan.runs.answer import marks
from errorspan.runs.progress import money
from errorspan.runs.run import Run
from errorspan.site import learning_path, running, schemas, timeline
from errorspan.site.blocks import spoken
from errorspan.site.exercise import Exercise, Places, Seen, in_words
from errorspan.site.links import KEY, Links
from errorspan.site.running import AtHand
from errorspan.site.scenario import told
from errorspan.site.words import Words, direction, words_in
from errorspan.steps.table import STEPS
from errorspan.text import markup

STYLES = (f"{ASSETS_FOLDER}/errorspan.css", f"{ASSETS_FOLDER}/exercise.css")
SCRIPTS = (f"{ASSETS_FOLDER}/errorspan.js",)
LATE = tuple(
    f"{ASSETS_FOLDER}/errorspan.{name}.js" for name in ("course", "answers", "ar", "de")
)  # loaded by the first, where needed
ANSWERS = ("run.md.j2", "key.md.j2")
"""The templates of pages that hold answers."""
IN_ENGLISH = ("run.md.j2", "runs.md.j2", "faults.md.j2", "faults.html.j2")
"""The templates whose words are English in every site: they are for authors, and quote what checks and faults say."""
FRONT = "---\nrender_macros: false\n"
"""How a page begins. The plugin macros runs what it finds, titles too, between delimiters that a site chooses."""


@dataclass(frozen=True)
class Page:
    """A file of the site: a Markdown page, or an asset.

    `file`: where its content stands, in place of `content`. `source`: what its author wrote. `above`: the list that
    names it. `answers`: it tells them, so no search may lead there.
    """

    uri: str
    content: str
    in_nav: bool = False
    source: str | None = None
    above: str | None = None
    answers: bool = False
    file: Path | None = None


def render(  # noqa: PLR0913 - what a site says of itself
    runs: Sequence[Run],
    settings: Settings,
    *,
    language: str = "en",
    index: str = "",
    drafts: bool = False,
    broken: Sequence[Broken] = (),
    at_hand: AtHand = lambda _: None,
) -> Iterator[Page]:
    """Yield every page of a course, and the learning path, which is a part of pages.

    `language` is the site's; what is said in another says so. `index` is what a link to a folder needs: `index.html`
    where no server adds it. With `drafts`, exercises that are withheld have their pages too, and say so. The lists tell
    of topics that are `broken`. Engines that are `at_hand` are published where an exercise needs them.
    """
    reasons = {run.topic.id: why for run in runs if (why := publishing.withheld(run, settings.publish))}
    exercises = {
        topic: exercise(run, Links(settings, index, f"{settings.exercises_folder}/{topic}").run(topic), at_hand)
        for run in runs
        if (topic := run.topic.id) not in reasons or (drafts and run.graded)
    }
    stages = learning_path.stages(settings.modules, (run.topic.id for run in runs))
    following = dict(pairwise(topic for stage in stages for topic in stage.topics if topic in exercises))

    def rendered(template: str, folder: str, **known: Any) -> str:
        return page_of(template, language, settings=settings, links=Links(settings, index, folder), **known)

    def page(template: str, above: str, below: str, run: Run, **known: Any) -> Page:
        """Return one of a run's pages, which stands below a list."""
        content = rendered(template, f"{above}/{below}", run=run, **known)
        uri, source = f"{above}/{below}/index.md", run.topic.path
        return Page(uri, content, source=source, above=f"{above}/index.md", answers=template in ANSWERS)

    for run in runs:
        topic = run.topic.id
        known: dict[str, Any] = {
            "run": run,
            "exercise": exercises.get(topic),
            "withheld": reasons.get(topic, []),
            "unearned": publishing.unearned(run, settings.publish),
            "following": exercises.get(following.get(topic, "")),
        }
        yield page("run.md.j2", settings.runs_folder, topic, **known)
        if topic in exercises:
            yield page("exercise.md.j2", settings.exercises_folder, topic, **known)
            yield Page(f"{settings.exercises_folder}/{topic}/{KEY}", exercises[topic].key_script)
            yield page("key.md.j2", settings.exercises_folder, f"{topic}/key", **known)
    listed: dict[str, Any] = {"runs": runs, "exercises": exercises, "withheld": reasons, "broken": broken}
    listed["brief"] = publishing.brief
    along = listed | {"stages": stages, "known": {run.topic.id: run for run in runs}}
    folder = settings.exercises_folder
    yield Page(f"{folder}/index.md", rendered("exercises.md.j2", folder, **along), in_nav=True)
    yield Page(learning_path.FRAGMENT, rendered("path.html.j2", folder, **along))
    listed |= {"report": report.of(runs, settings)}
    folder = settings.runs_folder
    yield Page(f"{folder}/index.md", rendered("runs.md.j2", folder, **listed), in_nav=True)
    running_here = [one.run for one in exercises.values() if one.run]
    for name, made in running.scripts(running_here, at_hand):
        uri = f"{ASSETS_FOLDER}/{name}"
        yield Page(uri, made) if isinstance(made, str) else Page(uri, "", file=made)


def assets() -> Iterator[Page]:
    """Yield the styles and the scripts that the pages need, and the schemas that editors read."""
    yield from (Page(path, text) for path, text in schemas.written().items())
    for path in (*STYLES, *SCRIPTS, *LATE):
        yield Page(path, files("errorspan.site").joinpath("assets", path.rpartition("/")[2]).read_text("utf-8"))


def exercise(run: Run, run_url: str = "", at_hand: AtHand | None = None) -> Exercise:
    """Return a complete run's exercise, which links to the run's page at this address.

    Corrections run in it by the engines that are `at_hand`, and nowhere where that is None.

    A topic that names no concepts is found by its level's subtopics: the errors' own concepts would tell what to look
    for.
    """
    if run.assessment is None or run.verdict is None:
        raise ValueError(f"{run.topic.id} has no assessment")
    subtopics = run.outputs["categories"]
    likeliest = sorted(run.outputs["error_catalog"].patterns, key=lambda pattern: -pattern.weak_makes)
    return Exercise(
        id=run.topic.id,
        title=run.assessment.title,
        level=run.topic.level,
        concepts=tuple(run.topic.concepts or getattr(subtopics, run.topic.level or "intermediate")),
        assessment=run.assessment,
        failures=run.verdict.failures,
        run_url=run_url,
        patterns={pattern.name: pattern.why_wrong for pattern in likeliest},
        places={error.id: _places(run, error, run_url) for error in run.assessment.errors},
        seen=_seen(run, run.assessment),
        undecided=run.evidence.undecided,
        run=None if at_hand is None else running.of(run, at_hand),
    )


def _seen(run: Run, assessment: Assessment) -> dict[str, Seen]:
    """Return what a test saw of each error that execution has proved."""
    decided = run.evidence.decided(assessment)
    told = {id_: one.test for id_, one in decided.outcomes.items() if one.test} if decided else {}
    return {
        id_: Seen(**failed.values, test=in_words(test), message=None if failed.got else failed.message)
        for id_, (test, failed) in told.items()
        if decided and id_ in decided.proved
    }


def _places(run: Run, error: Error, run_url: str) -> Places:
    """Return where an error was made and where it was avoided: where the judge saw that, else the whole answer."""
    if run.last is None or run.verdict is None:
        return Places()
    mid = run.last.outputs["mid_implementation"]
    failure = run.verdict.failure(error.failure)
    quotes = [
        seen.quote
        for judgment in run.verdict.judgments.values()
        for seen in judgment.strengths
        if failure and failure.pattern and seen.pattern == failure.pattern
    ]
    made = made_on(run, error)
    avoided = next((line for quote in quotes if (line := quoted_line(quote, mid))), None)
    anchor = f"{run_url}#attempt-{run.last.number}"
    return Places(
        weak=f"{anchor}-weak-{made}" if made else f"{anchor}-weak",
        mid=f"{anchor}-mid-{avoided}" if avoided else f"{anchor}-mid",
    )


def made_on(run: Run, error: Error) -> int | None:
    """Return the line (from 1) of the weak implementation's text on which an error was made."""
    if run.assessment is None or run.last is None or not (span := run.assessment.span(error)):
        return None
    return traced(run.assessment.code, run.last.outputs["weak_implementation"]).get(span.first)


def marked_lines(assessment: Assessment) -> list[Markup]:
    """Return the assessment's code as highlighted HTML, line by line, with its error spans marked."""
    opening = Markup('<span class="error-span" data-error-id="{}" data-concept="{}">')
    marks = [
        (span.start, span.end, opening.format(error.id, error.concept))
        for error in assessment.errors
        if (span := assessment.span(error))
    ]
    lines = markup.code_lines(assessment.code, assessment.language, marks)
    return lines if lines[-1] else lines[:-1]


def outdented(assessment: Assessment, error: Error, text: str) -> str:
    """Return an error's quote or correction, its first line indented as in the code, then all moved to the left."""
    span = assessment.span(error)
    ahead = assessment.code[: span.start].rpartition("\n")[2] if span else ""
    return dedent(ahead[: len(ahead) - len(ahead.lstrip())] + text)


def quoted_line(quote: str, implementation: Implementation) -> int | None:
    """Return the line (from 1) of an implementation's text on which a quote starts, where that is code."""
    stands = place(quote, implementation)
    return implementation.plain.count("\n", 0, stands[0]) + 1 if stands else None


def page_of(template: str, language: str, **known: Any) -> str:
    """Return a page of Markdown, in a site of a language: what is said in another says so."""
    page = templates(language).get_template(template).render(**known).replace("---\n", FRONT, 1)
    said = "en" if template in IN_ENGLISH else words_in(language).language
    return markup.raw(page if said == language.partition("-")[0].lower() else spoken(page, said, direction(said)))


def _front(text: str) -> Markup:
    """Return text as a value of front matter: MkDocs' templates write it into HTML as it is."""
    html = text if isinstance(text, Markup) else markup.plain(text)
    dumped = yaml.safe_dump(str(html), default_style='"', allow_unicode=True, width=2**20)
    return Markup(dumped.strip())


def templates(language: str = "en") -> Environment:
    """Return the environment of all templates, in a language; those for platforms are rendered elsewhere."""
    return _speaking(words_in(language))


@lru_cache(8)
def _speaking(words: Words) -> Environment:
    environment = Environment(
        extensions=["jinja2.ext.i18n"],
        loader=PackageLoader("errorspan.site", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        words.sentence, lambda one, many, n: one if n == 1 else many, newstyle=True, pgettext=words.named
    )
    environment.filters |= {
        "prose": markup.prose,
        "sentence": markup.sentence,
        "plain": markup.plain,
        "inert": markup.inert,
        "document": markup.document,
        "code": markup.code,
        "money": money,
        "percent": lambda share: f"{share:.0%}".replace("%", " %"),
        "front": _front,
    }
    environment.tests["undecided"] = lambda said: isinstance(said, Undecided)
    environment.tests["remark"] = lambda said: isinstance(said, Remark)
    environment.globals |= {
        "language": words.language,
        "direction": direction(words.language),
        "STEPS": STEPS,
        "REASONS": REASONS,
        "PRICES_AS_OF": AS_OF,
        "mid_label": mid_label,
        "quoted_line": quoted_line,
        "made_on": made_on,
        "marked_lines": marked_lines,
        "outdented": outdented,
        "timeline": timeline.of,
        "changes": correcting.changes,
        "needs_review": publishing.needs_review,
        "proved": publishing.proved,
        "marks": marks,
        "rate": report.Rate,
        "told": told,
        "united": united,
    }
    return environment
