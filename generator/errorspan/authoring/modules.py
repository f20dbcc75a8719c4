"""Read a course's modules: the path that students take through its topics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails

from errorspan.authoring.topics import Level, Line, Strict
from errorspan.text.expected import Place


class Module(Strict):
    """A stretch of the path: topics that belong together, in their order."""

    title: Line = Field(description="what the module is called, on one line")
    level: Level | None = Field(None, description="whom it is for: `beginner`, `intermediate` or `advanced`")
    topics: Annotated[list[Line], Field(min_length=1, max_length=50)] = Field(
        description="the ids of its topics, 1 to 50, in the order in which students meet them; a topic stands in one "
        "module only"
    )
    after: list[Line] = Field([], description="the titles of earlier modules that students should have done before")


def _ordered(modules: list[Module]) -> list[Module]:
    """Hold that each title and each topic stands once, and that a module comes after earlier ones."""
    faults = list(_misplaced(modules))
    if faults:
        raise ValidationError.from_exception_data(
            "modules",
            [
                InitErrorDetails(type="value_error", loc=place, input=got, ctx={"error": ValueError(what)})
                for place, what, got in faults
            ],
        )
    return modules


Modules = Annotated[list[Module], AfterValidator(_ordered)]


def _misplaced(modules: Sequence[Module]) -> Iterator[tuple[Place, str, str]]:
    titles: set[str] = set()
    holder: dict[str, str] = {}
    for number, module in enumerate(modules):
        for at, title in enumerate(module.after):
            if title not in titles:
                yield (number, "after", at), "expected the title of an earlier module", title
            elif title in module.after[:at]:
                yield (number, "after", at), "expected each module once", title
        if module.title in titles:
            yield (number, "title"), "expected a title that no earlier module has", module.title
        titles.add(module.title)
        for at, topic in enumerate(module.topics):
            if topic in holder:
                yield (number, "topics", at), f"expected a topic that is not in {holder[topic]!r} already", topic
            holder.setdefault(topic, module.title)


def strangers(modules: Sequence[Module], topics: Collection[str]) -> Iterator[tuple[Place, str]]:
    """Yield where a module names what is no topic's id, and what was expected there."""
    known = ", ".join(topics) or "there is none"
    there = frozenset(topics)
    for number, module in enumerate(modules):
        for at, topic in enumerate(module.topics):
            if topic not in there:
                yield ("modules", number, "topics", at), f"expected a topic's id; known are {known} (got {topic!r})"
