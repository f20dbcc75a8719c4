"""Fill templates in, for pages and whatever else is made of a run."""

from __future__ import annotations

from functools import lru_cache
from textwrap import dedent
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from errorspan.answers.outputs import Assessment, Error, Implementation
from errorspan.answers.verdicts import REASONS, mid_label, place
from errorspan.authoring.prices import AS_OF
from errorspan.checks.check import Remark, Undecided, united
from errorspan.checks.tracing import traced
from errorspan.proof import correcting
from errorspan.runs import counting, publishing
from errorspan.runs.answer import marks
from errorspan.runs.progress import money
from errorspan.runs.run import Run
from errorspan.site import timeline
from errorspan.site.blocks import spoken
from errorspan.site.scenario import told
from errorspan.site.words import Words, direction, words_in
from errorspan.steps.table import STEPS
from errorspan.text import markup

IN_ENGLISH = ("run.md.j2", "part.md.j2", "runs.md.j2", "faults.md.j2", "faults.html.j2")
"""The templates whose words are English in every site: they are for authors, and quote what checks and faults say."""
FRONT = "---\nrender_macros: false\n"
"""How a page begins. The plugin macros runs what it finds, titles too, between delimiters that a site chooses."""


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
        "rate": counting.Rate,
        "told": told,
        "united": united,
    }
    return environment


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
