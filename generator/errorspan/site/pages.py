"""Make pages of runs: a pure function of runs, templates and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from errorspan.answers.outputs import Assessment, Error
from errorspan.authoring.settings import ASSETS_FOLDER, Settings
from errorspan.authoring.topics import Broken
from errorspan.runs import publishing, report
from errorspan.runs.run import Run
from errorspan.site import learning_path, parts, running, schemas, summary
from errorspan.site.exercise import Exercise, Places, Seen, in_words
from errorspan.site.filling import made_on, page_of, quoted_line
from errorspan.site.links import KEY, Links
from errorspan.site.running import AtHand
from errorspan.site.summary import Summary

STYLES = (f"{ASSETS_FOLDER}/errorspan.css", f"{ASSETS_FOLDER}/exercise.css")
SCRIPTS = (f"{ASSETS_FOLDER}/errorspan.js",)
LATE = tuple(
    f"{ASSETS_FOLDER}/errorspan.{name}.js" for name in ("course", "answers", "exam", "ar", "de")
)  # loaded by the first, where needed
ANSWERS = ("run.md.j2", "part.md.j2", "key.md.j2")
"""The templates of pages that hold answers."""
NEXT = Markup("<i data-errorspan-next></i>")
"""Stands in the page of an exercise for the way to the next one, which is none of its own."""


_NAME = 48
"""Characters of a subtopic that can stand on a chip."""


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

    def leading(self, onward: str) -> Page:
        """Return the page with what leads on from it."""
        return replace(self, content=self.content.replace(NEXT, onward)) if NEXT in self.content else self


class Made(NamedTuple):
    """What one topic contributes to a site: what lists say of it, and its own pages."""

    summary: Summary
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Making:
    """What a site says of itself to whoever makes its pages.

    `language` is the site's; what is said in another says so. `index` is what a link to a folder needs: `index.html`
    where no server adds it. With `drafts`, exercises that are withheld have their pages too, and say so, and exams
    their runs and keys. Engines that are `at_hand` are published where an exercise needs them.
    """

    settings: Settings
    language: str = "en"
    index: str = ""
    drafts: bool = False
    at_hand: AtHand = lambda _: None

    def links(self, folder: str) -> Links:
        """Return the way from a folder to everything else."""
        return Links(self.settings, self.index, folder)

    def filled(self, template: str, folder: str, **known: Any) -> str:
        """Return a page that is to stand in a folder."""
        return page_of(template, self.language, settings=self.settings, links=self.links(folder), **known)

    def exercise(self, run: Run) -> Exercise | None:
        """Return a run's exercise, where it has a page."""
        shown = self.drafts and run.graded
        if not shown and publishing.withheld(run, self.settings.publish):
            return None
        links = self.links(f"{self.settings.exercises_folder}/{run.topic.id}")
        made = exercise(run, partial(links.run, run.topic.id), self.at_hand)
        return made.as_exam() if self.settings.is_exam(run.topic) else made

    def tells(self, run: Run) -> bool:
        """Tell whether a run and its key have pages: those of an exam only where nobody but its author is served."""
        return self.drafts or not self.settings.is_exam(run.topic)


def render(runs: Sequence[Run], settings: Settings, *, broken: Sequence[Broken] = (), **making: Any) -> Iterator[Page]:
    """Yield every page of a course, and the learning path, which is a part of pages.

    The lists tell of topics that are `broken`; all else is said by a `Making`.
    """
    site = Making(settings, **making)
    yield from together([of_topic(run, site) for run in runs], broken, site)


def together(made: Sequence[Made], broken: Sequence[Broken], site: Making) -> Iterator[Page]:
    """Yield every page of a course, from what its topics contribute."""
    topics = [one.summary for one in made]
    onward = following(topics, site)
    for one in made:
        yield from (page.leading(onward.get(one.summary.id, "")) for page in one.pages)
    yield from of_course(topics, broken, site)


def of_topic(run: Run, site: Making) -> Made:
    """Return what one topic contributes, whatever its neighbours are."""
    posed, settings = site.exercise(run), site.settings
    return Made(summary.of(run, posed, settings, told=site.tells(run)), tuple(_pages(run, posed, site)))


def _pages(run: Run, posed: Exercise | None, site: Making) -> Iterator[Page]:
    topic, settings = run.topic.id, site.settings
    known: dict[str, Any] = {
        "run": run,
        "exercise": posed,
        "withheld": publishing.withheld(run, settings.publish),
        "unearned": publishing.unearned(run, settings.publish),
        "onward": NEXT,
        "tells": site.tells,
        "parts": parts.of(run),
    }

    def page(template: str, above: str, below: str, **more: Any) -> Page:
        """Return one of its pages, which stands below a list."""
        content = site.filled(template, f"{above}/{below}", **known, **more)
        uri, source = f"{above}/{below}/index.md", run.topic.path
        return Page(uri, content, source=source, above=f"{above}/index.md", answers=template in ANSWERS)

    if site.tells(run):
        yield page("run.md.j2", settings.runs_folder, topic)
        for part in known["parts"]:
            yield page("part.md.j2", settings.runs_folder, f"{topic}/{part.folder}", part=part)
    if posed:
        yield page("exercise.md.j2", settings.exercises_folder, topic)
    if posed and not posed.exam:
        yield Page(f"{settings.exercises_folder}/{topic}/{KEY}", posed.key_script)
    if posed and site.tells(run):
        yield page("key.md.j2", settings.exercises_folder, f"{topic}/key")


def following(topics: Sequence[Summary], site: Making) -> dict[str, str]:
    """Return what leads from each exercise to the next one on the path, as HTML."""
    posed = {topic.id: topic.exercise for topic in topics if topic.exercise}
    stages = learning_path.stages(site.settings.modules, (topic.id for topic in topics))
    path = [topic for stage in stages for topic in stage.topics if topic in posed]
    return {
        topic: site.filled("next.html.j2", f"{site.settings.exercises_folder}/{topic}", following=posed[after])
        for topic, after in pairwise(path)
    }


def of_course(topics: Sequence[Summary], broken: Sequence[Broken], site: Making) -> Iterator[Page]:
    """Yield what stands once in a site: the lists, the learning path, and the scripts that run corrections."""
    settings = site.settings
    posed = {topic.id: topic for topic in topics if topic.exercise}
    listed: dict[str, Any] = {"topics": topics, "posed": posed, "broken": broken, "brief": publishing.brief}
    stages = learning_path.stages(settings.modules, (topic.id for topic in topics))
    along = listed | {"stages": stages, "known": {topic.id: topic for topic in topics}}
    folder = settings.exercises_folder
    yield Page(f"{folder}/index.md", site.filled("exercises.md.j2", folder, **along), in_nav=True)
    yield Page(learning_path.FRAGMENT, site.filled("path.html.j2", folder, **along))
    told = [topic for topic in topics if topic.told]
    added = report.added((topic, topic.counts) for topic in told)
    listed |= {"topics": told, "untold": len(topics) - len(told), "report": added}
    folder = settings.runs_folder
    yield Page(f"{folder}/index.md", site.filled("runs.md.j2", folder, **listed), in_nav=True)
    practice = [topic.exercise for topic in posed.values() if topic.exercise and not topic.exercise.exam]
    running_here = [one.runs_from for one in practice if one.runs]
    for name, made in running.scripts(running_here, site.at_hand, written=bool(practice)):
        uri = f"{ASSETS_FOLDER}/{name}"
        yield Page(uri, made) if isinstance(made, str) else Page(uri, "", file=made)


def assets() -> Iterator[Page]:
    """Yield the styles and the scripts that the pages need, and the schemas that editors read."""
    yield from (Page(path, text) for path, text in schemas.written().items())
    for path in (*STYLES, *SCRIPTS, *LATE):
        yield Page(path, files("errorspan.site").joinpath("assets", path.rpartition("/")[2]).read_text("utf-8"))


def exercise(run: Run, address: Callable[[str], str] = lambda _: "", at_hand: AtHand | None = None) -> Exercise:
    """Return a complete run's exercise, which links to the pages below the run's, by the `address` of each.

    Corrections run in it by the engines that are `at_hand`, and nowhere where that is None.

    A topic that names no concepts is found by its level's subtopics, those that are names and no sentences: the errors'
    own concepts would tell what to look for.
    """
    if run.assessment is None or run.verdict is None:
        raise ValueError(f"{run.topic.id} has no assessment")
    subtopics = getattr(run.outputs["categories"], run.topic.level or "intermediate")
    likeliest = sorted(run.outputs["error_catalog"].patterns, key=lambda pattern: -pattern.weak_makes)
    return Exercise(
        id=run.topic.id,
        title=run.assessment.title,
        level=run.topic.level,
        concepts=tuple(run.topic.concepts or (one for one in subtopics if len(one) <= _NAME)),
        assessment=run.assessment,
        failures=run.verdict.failures,
        explained_at=address("assessment"),
        patterns={pattern.name: pattern.why_wrong for pattern in likeliest},
        places={error.id: _places(run, error, address) for error in run.assessment.errors},
        seen=_seen(run, run.assessment),
        undecided=run.evidence.undecided,
        run=None if at_hand is None else running.of(run, at_hand),
        editor=None if at_hand is None else running.editor(run.assessment.language, at_hand),
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


def _places(run: Run, error: Error, address: Callable[[str], str]) -> Places:
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
    weak, mid = (f"{address(f'{tier}-implementation')}#attempt-{run.last.number}-{tier}" for tier in ("weak", "mid"))
    return Places(weak=f"{weak}-{made}" if made else weak, mid=f"{mid}-{avoided}" if avoided else mid)
