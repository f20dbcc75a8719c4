"""Say the pages' words in the site's language, where there is a translation.

A template says each sentence in English, and `templates/words.<language>.json` what it is in another language. What the
exercise's element says too stands in the element's own words, `assets/errorspan.<language>.js`, under its name there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

TRANSLATED = ("ar", "de")

HOME = Path(__file__).parent

_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


@dataclass(frozen=True)
class Words:
    """What the pages say, in a language."""

    language: str = "en"
    sentences: Mapping[str, str] = field(default_factory=dict, hash=False)
    element: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def sentence(self, english: str) -> str:
        """Return a sentence of a page."""
        return self.sentences.get(english, english)

    def named(self, name: str, english: str) -> str:
        """Return a sentence that the exercise's element says too, under this name."""
        return str(self.element.get(name, english))


def words_in(language: str) -> Words:
    """Return the words of a language, as they stand on disk now; the English ones where it has none."""
    spoken = language.partition("-")[0].lower()
    if spoken not in TRANSLATED:
        return Words()
    paths = HOME / f"templates/words.{spoken}.json", HOME / f"assets/errorspan.{spoken}.js"
    return _read(spoken, *paths, saved=tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


@lru_cache(2 * len(TRANSLATED))
def _read(spoken: str, sentences: Path, element: Path, saved: object) -> Words:  # noqa: ARG001 - what was saved since is read
    call = element.read_text("utf-8")
    return Words(
        spoken, json.loads(sentences.read_text("utf-8")), json.loads(call[call.index("{") : call.rindex("}") + 1])
    )


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Return which way a language is written."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def language(theme: object) -> str:
    """Return the language of a site's pages, as its theme is told: Material has a language, MkDocs' own a locale."""
    told = [theme.get(name) for name in ("language", "locale")] if isinstance(theme, Mapping) else []
    return next((str(name).replace("_", "-") for name in told if name), "en")
