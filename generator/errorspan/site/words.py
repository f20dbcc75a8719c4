"""Say the pages' words in the site's language, where there is a translation.

A template says each sentence in English, and `templates/words.<language>.json` what it is in another language. What the
exercise's element says too stands in the element's own words, `assets/errorspan.<language>.js`, under its name there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

TRANSLATED = ("ar", "de")

_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


@dataclass(frozen=True)
class Words:
    """What the pages say, in a language."""

    language: str = "en"
    sentences: Mapping[str, str] = field(default_factory=dict)
    element: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, english: str) -> str:
        """Return a sentence of a page."""
        return self.sentences.get(english, english)

    def named(self, name: str, english: str) -> str:
        """Return a sentence that the exercise's element says too, under this name."""
        return str(self.element.get(name, english))


@cache
def words_in(language: str) -> Words:
    """Return the words of a language; the English ones where it has none."""
    spoken = language.partition("-")[0].lower()
    if spoken not in TRANSLATED:
        return Words()
    home = files("errorspan.site")
    call = home.joinpath(f"assets/errorspan.{spoken}.js").read_text("utf-8")
    return Words(
        spoken,
        json.loads(home.joinpath(f"templates/words.{spoken}.json").read_text("utf-8")),
        json.loads(call[call.index("{") : call.rindex("}") + 1]),
    )


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Return which way a language is written."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def language(theme: object) -> str:
    """Return the language of a site's pages, as its theme is told: Material has a language, MkDocs' own a locale."""
    told = [theme.get(name) for name in ("language", "locale")] if isinstance(theme, Mapping) else []
    return next((str(name).replace("_", "-") for name in told if name), "en")
