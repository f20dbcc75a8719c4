"""Lay out what a student is told before the code: one text, in Markdown, for pages and packages.

Older scenarios are one long paragraph with the code's names in plain words: their names are set as code, and their
sentences in paragraphs, where that is safe.
"""

from __future__ import annotations

import re

from errorspan.answers.outputs import Assessment
from errorspan.text import syntax

LONG, SHORT = 90, 45
"""Words: a paragraph that is longer than the first is cut, at the first sentence's end after the second."""

_CODE_SPAN = re.compile(r"(`+.+?`+)", re.DOTALL)
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_SENTENCE = re.compile(r"(?<=[\w`)\"”][.!?])(?<!e\.g\.)(?<!i\.e\.)(?<! vs\.)(?<! cf\.)\s+(?=[A-Z`])")


def told(assessment: Assessment, relied_on: str, not_shown: str) -> str:
    """Return what a student is told, in Markdown; the words are the headings of what is promised, and left out."""
    if not assessment.promises:
        return _cut(_set(assessment))
    items = "\n".join(f"- {_LINE_END.sub(' ', promise.strip())}" for promise in assessment.promises)
    rest = f"\n\n**{not_shown}** {assessment.not_shown.strip()}" if assessment.not_shown.strip() else ""
    return f"{assessment.scenario.strip()}\n\n**{relied_on}**\n\n{items}{rest}"


def _set(assessment: Assessment) -> str:
    """Return the scenario with the code's names between backticks: those that no prose has."""
    names = syntax.code_like(assessment.code, assessment.language)
    word = re.compile(r"(?<![\w.`])(\w+(?:\.\w+)*(?:\(\))?)(?!\w)")
    parts = _CODE_SPAN.split(assessment.scenario)
    for place in range(0, len(parts), 2):
        parts[place] = word.sub(
            lambda found: f"`{found[0]}`" if names & set(re.findall(r"\w+", found[0])) else found[0], parts[place]
        )
    return "".join(parts)


def _cut(text: str) -> str:
    """Return the text with its long paragraphs cut; what is more than sentences, such as a list, stays as it is."""
    paragraphs: list[str] = []
    for paragraph in re.split(r"\n{2,}", text):
        if len(paragraph.split()) <= LONG or "\n" in paragraph.strip():
            paragraphs.append(paragraph)
            continue
        part: list[str] = []
        sentences = _SENTENCE.split(paragraph)
        for number, sentence in enumerate(sentences, 1):
            part.append(sentence)
            if len(" ".join(part).split()) >= SHORT and number < len(sentences):
                paragraphs.append(" ".join(part))
                part = []
        paragraphs.append(" ".join(part))
    return "\n\n".join(paragraphs)
