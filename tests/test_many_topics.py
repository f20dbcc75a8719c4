"""What a course does for all of its topics, it does once, however many they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import read_topics
from errorspan.course import Course
from errorspan.runs import report
from errorspan.runs.run import Run


def listings(monkeypatch: pytest.MonkeyPatch, *ids: str) -> int:
    """Return how often the folder of topics is looked through where these are replayed."""
    looked: list[Path] = []

    def looking(way: Any) -> Any:
        def listed(path: Path, *pattern: str) -> Iterator[Path]:
            looked.append(path)
            return way(path, *pattern)

        return listed

    with monkeypatch.context() as patched:
        for way in ("iterdir", "glob", "rglob"):
            patched.setattr(Path, way, looking(getattr(Path, way)))
        runs = Course(ROOT, Settings(), *read_topics(ROOT / "topics", ROOT)).replay(ids)
    assert all(run.evidence.valid_proof for run in runs)
    return looked.count(ROOT / "topics")


def test_the_folder_of_topics_is_looked_through_as_often_for_many_as_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    once = listings(monkeypatch, "durations")
    assert once == listings(monkeypatch, "durations", "word-counts", "free-slots") == 2


def test_runs_are_not_compared_with_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(ROOT, Settings(), *read_topics(ROOT / "topics", ROOT))
    runs = course.replay(["durations", "word-counts"])
    monkeypatch.setattr(Run, "__eq__", lambda *_: pytest.fail("two runs were compared"))
    told = report.of(runs, course.settings)
    assert len(told.modelled.runs + told.reported.runs + told.written) == 2
