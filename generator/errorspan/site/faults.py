"""Make pages in place of those that cannot be made: they tell an author what to mend, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from errorspan.authoring.topics import Broken
from errorspan.course import Course
from errorspan.site.pages import Page, templates
from errorspan.text import markup

LISTS = {"exercises": "Exercises", "runs": "Runs"}


def of_topic(topic: Broken) -> Iterator[Page]:
    """Yield the pages of a topic that is left out, each with its faults."""
    if topic.addressed:
        for uri in _addresses(topic.id):
            yield replace(_page(uri, f"{topic.id} is left out", topic.faults, "topic"), source=topic.path)


def of_all(course: Course, faults: Sequence[str]) -> Iterator[Page]:
    """Yield every page that a course would have, each with what concerns all of them."""
    for folder, title in LISTS.items():
        yield replace(_page(f"{folder}/index.md", title, faults, "all"), in_nav=True)
    for topic in sorted({*course.topics, *(name for name, broken in course.broken.items() if broken.addressed)}):
        for uri in _addresses(topic):
            yield _page(uri, topic, faults, "all")


def _addresses(topic: str) -> tuple[str, ...]:
    return f"runs/{topic}/index.md", f"exercises/{topic}/index.md", f"exercises/{topic}/key/index.md"


def _page(uri: str, title: str, faults: Sequence[str], concerns: Literal["topic", "all"]) -> Page:
    content = templates().get_template("faults.md.j2").render(title=title, faults=faults, concerns=concerns)
    return Page(uri, markup.raw(content))
