"""Make pages in place of those that cannot be made: they tell an author what to mend, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Broken
from errorspan.course import Course
from errorspan.site import learning_path
from errorspan.site.filling import page_of
from errorspan.site.pages import Page
from errorspan.site.parts import PARTS


def of_topic(topic: Broken, settings: Settings, language: str) -> Iterator[Page]:
    """Yield the pages of a topic that is left out, each with its faults."""
    if topic.addressed:
        for uri in _addresses(topic.id, settings):
            yield replace(_page(uri, f"{topic.id} is left out", topic.faults, "topic", language), source=topic.path)


def of_all(course: Course, faults: Sequence[str], language: str) -> Iterator[Page]:
    """Yield every page that a course would have, each with what concerns all of them."""
    settings = course.settings
    for folder, title in ((settings.exercises_folder, "Exercises"), (settings.runs_folder, "Runs")):
        yield replace(_page(f"{folder}/index.md", title, faults, "all", language), in_nav=True)
    for topic in sorted({*course.topics, *(name for name, broken in course.broken.items() if broken.addressed)}):
        for uri in _addresses(topic, settings):
            yield _page(uri, topic, faults, "all", language)
    yield Page(learning_path.FRAGMENT, page_of("faults.html.j2", language, faults=faults, concerns="all"))


def _addresses(topic: str, settings: Settings) -> tuple[str, ...]:
    run, exercise = f"{settings.runs_folder}/{topic}", f"{settings.exercises_folder}/{topic}"
    below = (f"{run}/{part.folder}" for part in PARTS)
    return tuple(f"{folder}/index.md" for folder in (run, *below, exercise, f"{exercise}/key"))


def _page(uri: str, title: str, faults: Sequence[str], concerns: Literal["topic", "all"], language: str) -> Page:
    return Page(uri, page_of("faults.md.j2", language, title=title, faults=faults, concerns=concerns))
