"""The pages speak the site's language: every word of a page for students has its translation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Project
from errorspan.runs.answer import AUTHORSHIP
from errorspan.site import filling, pages
from errorspan.site.words import TRANSLATED, Words, language, words_in

HOME = Path(pages.__file__).parent
TEMPLATES = {path.name: path for path in HOME.parent.glob("*/templates/*.j2")}
FOR_STUDENTS = (
    "_rows.html.j2", "_words.html.j2", "exam.html.j2", "exercise.html.j2", "exercise.md.j2", "exercises.md.j2",
    "key.md.j2", "path.html.j2", "scorm.html.j2",
)  # fmt: skip
FRONT_MATTER = r"^(?:title|description|search|  exclude|hide):(?: true$| \[[a-z, ]*\]$)?"


def said() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return what all templates say through the catalogues, and how."""
    environment = filling.templates()
    for path in TEMPLATES.values():
        source = path.read_text("utf-8")
        for _, how, what in environment.extract_translations(source):  # type: ignore[attr-defined]
            found = what if isinstance(what, tuple) else (what,)
            if found[0] is not None:  # it is in a variable
                yield how, found
    yield from (("_", (text,)) for text in AUTHORSHIP.values())


def script(name: str) -> str:
    return (HOME / "assets" / name).read_text("utf-8")


def english_of(source: str) -> dict[str, str]:
    """Return the English words in a script, the forms of a number joined."""
    found = dict(re.findall(r'^ +(\w+): (".*"|\{ .* \}),$', source, re.MULTILINE))
    return {name: text[1:-1] if text.startswith('"') else text for name, text in found.items()}


def places(text: object) -> set[str]:
    """Return what is put into a text, but for a number that words may stand for."""
    return set(re.findall(r"(?<=\{)\w+(?=\})|(?<=%\()\w+(?=\)s)", str(text))) - {"n"}


@pytest.mark.parametrize("lang", TRANSLATED)
def test_every_sentence_of_the_pages_is_translated_and_no_other(lang: str) -> None:
    english = {what[0] for how, what in said() if how in {"_", "gettext"}}
    sentences = words_in(lang).sentences
    assert set(sentences) == english
    for sentence, translated in sentences.items():
        assert translated not in {"", sentence}
        assert places(translated) == places(sentence), sentence
        assert translated[-1:] == sentence[-1:] or sentence[-1:].isalpha(), sentence
        assert not re.search(r"%(?!\(\w+\)s)", translated), sentence


@pytest.mark.parametrize("lang", TRANSLATED)
def test_the_element_has_every_word(lang: str) -> None:
    english = (
        dict(what for how, what in said() if how == "pgettext")
        | english_of(script("errorspan.js").partition("const tables")[2].partition("};")[0])
        | english_of(script("errorspan.course.js"))
        | english_of(script("errorspan.exam.js"))
        | english_of(script("errorspan.run.js"))
        | english_of(script("errorspan.edit.js").partition("tables.en")[2].partition("});")[0])
        | english_of(script("errorspan.answers.js").partition("tables.en")[2].partition("});")[0])
    )
    translated = words_in(lang).element
    assert set(translated) == set(english)
    for name, text in english.items():
        assert places(translated[name]) == places(text), name
        assert translated[name] != text or name in {"percent", "comma"}, name


@pytest.mark.parametrize(
    ("lang", "forms"), [("de", {"one", "other"}), ("ar", {"zero", "one", "two", "few", "many", "other"})]
)
def test_a_language_has_every_form_of_number(lang: str, forms: set[str]) -> None:
    counted = [form for form in words_in(lang).element.values() if isinstance(form, dict)]
    assert counted
    for form in counted:
        assert set(form) == forms


@pytest.mark.parametrize("name", FOR_STUDENTS)
def test_a_page_for_students_says_nothing_past_the_catalogues(name: str) -> None:
    source = TEMPLATES[name].read_text("utf-8")
    bare = re.sub(FRONT_MATTER, "", source, flags=re.MULTILINE)
    bare = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", bare, flags=re.DOTALL)
    assert not re.search(r'\b(?:aria-label|title|alt|placeholder)="[^"]*\w', bare)
    assert re.findall(r"[^\W\d]{2,}.*", re.sub(r"<[^>]*>", "", bare)) == []


@pytest.mark.parametrize(
    ("theme", "found"),
    [
        (None, "en"), ("material", "en"), ({}, "en"), ({"name": "material"}, "en"), ({"language": None}, "en"),
        ({"language": "de"}, "de"), ({"language": "pt-BR", "locale": "en"}, "pt-BR"), ({"locale": "pt_BR"}, "pt-BR"),
    ],
)  # fmt: skip
def test_a_theme_is_told_its_language_in_one_of_two_ways(theme: object, found: str) -> None:
    assert language(theme) == found


@pytest.mark.parametrize("name", ["en", "fr", "", "../de", "zh-Hant"])
def test_a_language_without_words_reads_english(name: str) -> None:
    assert words_in(name) == Words()
    assert words_in("de-AT").language == words_in("DE").language == "de"


def speaking(project: Project, lang: str, theme: str = "material") -> None:
    """Set the theme and the language of a site."""
    config = project.folder / "mkdocs.yml"
    key = "language" if theme == "material" else "locale"
    features = "  features: [navigation.instant]\n  font: false\n" if theme == "material" else ""
    text = re.sub(
        r"(?s)theme:\n.*?nav:", f"theme:\n  name: {theme}\n  {key}: {lang}\n{features}nav:", config.read_text()
    )
    config.write_text(re.sub(r"- \w+: (\w+/index.md)", r"- \1", text))  # titles are the pages' own


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("lang", "theme", "title", "foreign"),
    [("de", "material", "Aufgaben", False), ("de", "mkdocs", "Aufgaben", False), ("fr", "material", "Exercises", True)],
)
def test_pages_speak_the_language_of_the_theme_or_say_that_they_do_not(
    recorded: Project,
    lang: str,
    theme: str,
    title: str,
    foreign: bool,  # noqa: FBT001
) -> None:
    speaking(recorded, lang, theme)
    built = recorded.build("--strict", key=False)
    assert built.returncode == 0, built.stderr
    listing, exercise, run = (recorded.page(name) for name in ("exercises", "exercises/words", "runs/words/judgment"))
    assert re.search(rf"<title>{title} - |<title>{title}</title>", listing)
    assert (words_in(lang).element or {"check": "Check"})["check"] in exercise
    assert ('<div lang="en" dir="ltr" class="es-exercise-head">' in exercise) == foreign
    assert (
        re.search(r'<h1[^>]*><span class="es-spoken" lang="en" dir="ltr">Exercises</span>', listing) is None or foreign
    )
    assert '<div lang="en" dir="ltr" class="es-run-head">' in run
    assert re.search(r'<h2 id="rubric"><span class="es-spoken" lang="en" dir="ltr">Rubric</span>', run)


def test_a_site_in_english_marks_nothing_as_english(recorded: Project) -> None:
    assert recorded.build("--strict", key=False).returncode == 0
    for name in ("exercises", "runs", "runs/words", "runs/words/judgment"):
        assert 'lang="en" dir="ltr"' not in recorded.page(name)


def test_a_folder_for_another_generator_speaks_it_too(recorded: Project) -> None:
    speaking(recorded, "de")
    assert recorded.errorspan("render", "rendered", key=False).returncode == 0
    pages = recorded.files("rendered")
    assert "# Aufgaben" in pages["exercises/index.md"].decode()
    assert 'title: "Lösung: ' in pages["exercises/words/key/index.md"].decode()
    assert 'title: "Durchlauf: ' in pages["runs/words/index.md"].decode()
    run = pages["runs/words/judgment/index.md"].decode()
    assert '\n## <span class="es-spoken" lang="en" dir="ltr">Rubric</span>\n' in run


def test_the_words_of_an_element_are_json_within_one_call() -> None:
    for lang in TRANSLATED:
        call = re.fullmatch(
            rf'/\* \w+ \*/\nerrorspanWords\("{lang}", (.*)\);\n', script(f"errorspan.{lang}.js"), re.DOTALL
        )
        assert call
        assert json.loads(call[1]) == words_in(lang).element
