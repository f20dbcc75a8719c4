"""Topic files: everything that an author can get wrong is told with its file and line, and nothing else happens."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Topic, TopicFile, named_by, read_topics
from errorspan.course import Course
from errorspan.proof import reviews
from errorspan.text.errors import InputError
from errorspan.text.expected import keys
from errorspan.text.source import MAX_BYTES

ONLY_A_NAME = "expected a name: a model's, or one of named_models in the site's settings, where alone stands which "
ONLY_A_NAME += "server is asked, with which key, and how (got keys and values)"
NO_ANCHOR = "anchors and aliases (& and *) are not allowed; quotes make it text"
NO_TAG = "tags (!) are not allowed; quotes make it text"
OPEN_LIST = (
    "expected ] that closes the [ that opens here, and commas between what stands within; quotes make it text, "
    "if it is some"
)
KNOWN = "known are title, language, level, focus, brief, concepts, lines, mode, models, max_attempts, requires, try"
FAULT = re.compile(r"topics/[^\n:]+\.ya?ml:([1-9]\d*): \S[^\r\n\x00-\x1f\x7f\u2028\u2029]*")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Topic]]:
    """Return a function that reads a folder of these files."""
    return lambda **files: reading(tmp_path, {f"{name}.yml": content for name, content in files.items()})


def reading(root: Path, files: dict[str, str | bytes]) -> list[Topic]:
    """Write files, by name, and read them as topics."""
    folder = root / "topics"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    topics, _ = read_topics(folder, root)
    return topics


def faults(root: Path, files: dict[str, str | bytes]) -> list[str]:
    """Return what is wrong with files."""
    reading(root, files)
    _, broken = read_topics(root / "topics", root)
    assert broken
    return [fault for topic in broken for fault in topic.faults]


# What is right


def test_a_title_is_enough(read: Callable[..., list[Topic]]) -> None:
    (topic,) = read(words="title: Counting words\n")
    assert (topic.id, topic.path, topic.title) == ("words", "topics/words.yml", "Counting words")
    assert (topic.language, topic.level, topic.focus, topic.brief, topic.max_attempts) == (None,) * 5
    assert topic.concepts == []
    assert not any(dict(topic.models).values())


def test_a_topic_may_say_everything(read: Callable[..., list[Topic]]) -> None:
    (topic,) = read(
        words="""\
            title: "  Counting: words  "
            language: python
            level: beginner
            focus: Dictionaries
            brief: |
              First.

              - Second,
              \tindented.
            concepts: [counting, "2", 'a "b"']
            models:
              author: org/model-1.5:latest@2026
              judge: claude-opus-5-5
            lines: 12-30
            mode: exam
            max_attempts: 10
            """
    )
    assert topic.size == (12, 30)
    assert topic.title == "Counting: words"
    assert topic.brief == "First.\n\n- Second,\n\tindented."
    assert topic.concepts == ["counting", "2", 'a "b"']
    assert (topic.models.author, topic.models.mid) == ("org/model-1.5:latest@2026", None)
    assert (topic.mode, topic.max_attempts) == ("exam", 10)


@pytest.mark.parametrize(
    ("level", "size"), [(None, (30, 60)), ("beginner", (20, 40)), ("intermediate", (30, 60)), ("advanced", (40, 80))]
)
def test_a_size_goes_by_the_level(level: Any, size: tuple[int, int]) -> None:
    assert Topic(id="words", path="topics/words.yml", title="Words", level=level).size == size


@pytest.mark.parametrize("language", ["python", "Python", "py", "c++", "JavaScript", "text", '" rust "'])
def test_a_language_has_any_name_that_the_highlighter_knows(tmp_path: Path, language: str) -> None:
    (topic,) = reading(tmp_path, {"words.yml": f"title: T\nlanguage: {language}\n"})
    assert topic.language == language.strip('" ')


def test_every_key_is_in_the_topic_that_says_everything() -> None:
    assert set(keys(TopicFile)) == set(KNOWN.removeprefix("known are ").split(", "))


DROPPINGS = (
    *(".#words.yml", "._words.yml", "words.yml~", "#words.yml#", ".words.yml.swp", ".words.yml", ".DS_Store"),
    *("words.yml.orig", "words.yml.bak", ".words.tests.py.swp", "words.tests.py~", "words.tests.py.orig"),
    *(".#words.tests.py", "._words.review.yml", "#words.review.yml#", ".words.review.yml.swp"),
)


def test_what_editors_leave_is_no_topic_and_no_test(tmp_path: Path) -> None:
    for name in DROPPINGS:
        if name.startswith(".#"):  # as Emacs does it
            (tmp_path / name).symlink_to("somebody@somewhere.1234")
        else:
            (tmp_path / name).write_text("half", "utf-8")
    (tmp_path / "words.yml").write_text("title: T", "utf-8")
    (tmp_path / "words.tests.py").write_text("", "utf-8")
    [topic], broken = read_topics(tmp_path, tmp_path)
    assert (topic.id, broken) == ("words", [])
    course = Course(tmp_path, Settings(topics="."), [topic])
    assert list(course.tests(topic)) == ["words.tests.py"]


@pytest.mark.parametrize(
    "named",
    [
        *("words", "words.yml", "words.yaml", "topics/words.yml", "./topics/words.yaml", "topics\\words.yml"),
        *(
            "topics/words.review.yml",
            "topics/words.review.yaml",
            "topics/words.tests.py",
            "topics/words.tests.frame.py",
        ),
        *("topics/runs/words", "topics/runs/words/", "topics/runs/words/attempt-1/challenge.json"),
        *("/home/runs/course/topics/words.yml", "/home/runs/course/words", "/home/runs/course/topics/runs/words"),
        *("topics/runs/words/run.json", "topics/runs/words/attempt-2/", "topics/runs/words/attempt-2"),
    ],
)
def test_a_topic_goes_by_every_file_of_it(named: str) -> None:
    assert named_by(named) == "words"


@pytest.mark.parametrize("ending", [".review.yml", ".review.yaml"])
def test_a_review_has_either_ending(ending: str, tmp_path: Path) -> None:
    (tmp_path / "words.yaml").write_text("title: T", "utf-8")
    (tmp_path / f"words{ending}").write_text("by: me", "utf-8")
    assert reviews.named(tmp_path, "words") == f"words{ending}"
    assert [topic.id for topic in read_topics(tmp_path, tmp_path)[0]] == ["words"]
    (tmp_path / "words.review.yml").write_text("by: me", "utf-8")
    (tmp_path / "words.review.yaml").write_text("by: me", "utf-8")
    [broken] = read_topics(tmp_path, tmp_path)[1]
    assert broken.faults == (
        "words.review.yml:1: words.review.yaml reviews 'words' already; rename or remove one of them",
    )


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbftitle: Words\n",
        b"\xef\xbb\xbf# A comment\r\ntitle: Words\r\nlevel: beginner\r\n",
        b"# A comment\n---\ntitle: Words\n...\n",
        b"{title: Words}",
        b'"title": "W\\u006frds"',
        b"title:\n  Words\n",
        b"title: >-\n  Words\n",
    ],
    ids=["BOM", "BOM and CRLF", "one document", "braces", "escapes", "next line", "folded"],
)
def test_yaml_may_be_written_in_many_ways(tmp_path: Path, text: bytes) -> None:
    assert [topic.title for topic in reading(tmp_path, {"words.yml": text})] == ["Words"]


@pytest.mark.parametrize(
    "title",
    [
        "Zählen 🙂",
        "词频统计",
        "שלום עולם",
        "a\u202eb",
        "e\u0301",
        "\U0001d518",
        "<script>alert(1)</script>",
        "{{ x }}",
        "*a* `b`",
        "a\\nb",
    ],
)
def test_a_title_may_be_any_text(tmp_path: Path, title: str) -> None:
    """Characters that turn the direction of text are shown as such where pages are made, not forbidden to authors."""
    quoted = f"title: '{title}'\n"
    assert [topic.title for topic in reading(tmp_path, {"words.yml": quoted})] == [title]


def test_topics_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    names = ["b.yml", "a.yaml", "a-2.yml", "10.yml", "9.yml"]
    topics = reading(tmp_path, dict.fromkeys(names, "title: T"))
    assert [topic.id for topic in topics] == ["10", "9", "a", "a-2", "b"]


def test_other_files_are_no_topics(tmp_path: Path) -> None:
    others = {"README.md": "x", "notes.txt": "x", ".yml": "x", "a.yml.bak": "x", "words.yml": "title: T"}
    (tmp_path / "topics" / "runs").mkdir(parents=True)
    assert [topic.id for topic in reading(tmp_path, others)] == ["words"]


def test_an_empty_folder_has_no_topics(tmp_path: Path) -> None:
    assert reading(tmp_path, {}) == []


def test_a_topic_of_an_outer_folder_is_named_by_its_whole_path(tmp_path: Path) -> None:
    (topic,) = reading(tmp_path, {"a.yml": "title: T"})
    assert topic.path == "topics/a.yml"
    assert read_topics(tmp_path / "topics", tmp_path / "elsewhere")[0][0].path == (tmp_path / "topics/a.yml").as_posix()


# What is wrong: one file, one fault

WRONG = {
    **{
        f"lines: {lines}": (
            f"title: T\nlines: {lines}\n",
            f"2: lines: expected the least and the most lines, within 8 and 150, such as '30-60' (got '{lines}')",
        )
        for lines in ("60-30", "7-30", "30-151", "30 - 60", "a-b", "30-60-90")
    },
    "lines: a number": ("title: T\nlines: 30\n", "2: lines: expected text (got 30); quotes make it text"),
    "no function to try": (
        "title: T\ntry: {call: f(x), examples: ['1']}\n",
        "2: try.call: expected a function's name, such as 'merge' or 'Cart.total' (got 'f(x)')",
    ),
    "nothing to try": ("title: T\ntry:\n  call: f\n  examples: []\n", "4: try.examples: expected at least 1 (got 0)"),
    "a key of what is tried": (
        "title: T\ntry: {call: f, examples: ['1'], example: x}\n",
        "2: try.example: is no key here; known are call, examples",
    ),
    "what is tried by another name": ("title: T\ntrial: {call: f}\n", f"2: trial: is no key here; {KNOWN}"),
    "unknown key": ("title: T\ntitel: T\n", f"2: titel: is no key here; {KNOWN}"),
    "a key with a dot": ("title: T\nmodels.mid: m\n", f"2: models.mid: is no key here; {KNOWN}"),
    "an id of its own": ("title: T\nid: t\n", f"2: id: is no key here; {KNOWN}"),
    "a path of its own": ("title: T\npath: t\n", f"2: path: is no key here; {KNOWN}"),
    "an empty key": ('title: T\n"": t\n', f"2: '': is no key here; {KNOWN}"),
    "a number as key": ("title: T\n\n1: t\n", "3: expected text as a key (got '1')"),
    "yes as key": ("title: T\nyes: t\n", "2: expected text as a key (got 'yes')"),
    "null as key": ("title: T\n~: t\n", "2: expected text as a key (got '~')"),
    "a date as key": ("title: T\n2026-01-01: t\n", "2: expected text as a key (got '2026-01-01')"),
    "a list as key": ("title: T\n? [a]\n: t\n", "2: expected text as a key (got a list or a mapping)"),
    "a key of two lines": ('title: T\n"a\\nb": t\n', "2: expected text as a key (got 'a\\nb')"),
    "a key that moves the cursor": ('title: T\n"\\e[2J": t\n', "2: expected text as a key (got '\\x1b[2J')"),
    "a key of half a character": ('title: T\n"\\ud800": t\n', "2: expected text as a key (got '\\ud800')"),
    "a number as key, inside": ("title: T\nmodels:\n  5: t\n", "3: models: expected text as a key (got '5')"),
    "no title": ("level: beginner\n", "1: title: is missing"),
    "a number as title": ("title: 5\n", "1: title: expected text (got 5); quotes make it text"),
    "a date as title": ("title: 2026-01-01\n", "1: title: expected text (got 2026-01-01); quotes make it text"),
    "a boolean as title": ("title: no\n", "1: title: expected text (got false); quotes make it text"),
    "a list as title": ("title: [T]\n", "1: title: expected text (got ['T'])"),
    "a mapping as title": ("title: {T: 1}\n", "1: title: expected text (got {'T': 1})"),
    "nothing as title": ("title:\n", "1: title: expected text (got nothing)"),
    "a blank title": ("title: '   '\n", "1: title: expected text that is not blank (got '   ')"),
    "a title of two lines": (
        "title: |\n  T\n  U\n",
        "1: title: expected one line of text (got 'T\\nU\\n')",
    ),
    "a long title": (
        f"title: {'T' * 121}\n",
        f"1: title: expected at most 120 characters (got 121: '{'T' * 56}…)",
    ),
    "a long focus": (
        f"title: T\nfocus: {'T' * 301}\n",
        f"2: focus: expected at most 300 characters (got 301: '{'T' * 56}…)",
    ),
    "a long brief": (
        f"title: T\nbrief: {'T' * 4001}\n",
        f"2: brief: expected at most 4,000 characters (got 4,001: '{'T' * 56}…)",
    ),
    "an unknown level": (
        "title: T\nlevel: expert\n",
        "2: level: expected 'beginner', 'intermediate' or 'advanced' (got 'expert')",
    ),
    "text where a list is": ("title: T\nconcepts: a, b\n", "2: concepts: expected a list (got 'a, b')"),
    "a mapping where a list is": ("title: T\nconcepts: {a: b}\n", "2: concepts: expected a list (got {'a': 'b'})"),
    "nothing where a list is": ("title: T\nconcepts:\n", "2: concepts: expected a list (got nothing)"),
    "a number in a list": (
        "title: T\nconcepts:\n- a\n- 5\n",
        "4: concepts.2: expected text (got 5); quotes make it text",
    ),
    "nine concepts": (f"title: T\nconcepts: [{'a, ' * 8}a]\n", "2: concepts: expected at most 8 (got 9)"),
    "text where keys are": ("title: T\nmodels: m\n", "2: models: expected keys and values (got 'm')"),
    "a tier that is none": (
        "title: T\nmodels:\n  mid: m\n  strong: m\n",
        "4: models.strong: is no key here; known are author, mid, weak, judge, first_solver, second_solver",
    ),
    "a model with a space": (
        "title: T\nmodels: {mid: a b}\n",
        "2: models.mid: expected a model's name of letters, digits and ._:/@-, without spaces (got 'a b')",
    ),
    "a model with a line break": (
        'title: T\nmodels:\n  mid: "m\\n"\n',
        "3: models.mid: expected a model's name of letters, digits and ._:/@-, without spaces (got 'm\\n')",
    ),
    "a model like an option": (
        "title: T\nmodels: {mid: --help}\n",
        "2: models.mid: expected a model's name of letters, digits and ._:/@-, without spaces (got '--help')",
    ),
    "a number as model": (
        "title: T\nmodels: {mid: 4}\n",
        "2: models.mid: expected text (got 4); quotes make it text",
    ),
    "a model's address": (
        "title: T\nmodels:\n  weak: {model: m, base_url: 'http://evil.example'}\n",
        f"3: models.weak: {ONLY_A_NAME}",
    ),
    "a key": ("title: T\nmodels:\n  weak:\n    model: m\n    key_env: HOME\n", f"3: models.weak: {ONLY_A_NAME}"),
    "an address beside the tiers": (
        "title: T\nmodels:\n  base_url: http://evil.example\n",
        "3: models.base_url: is no key here; known are author, mid, weak, judge, first_solver, second_solver",
    ),
    "no attempt": ("title: T\nmax_attempts: 0\n", "2: max_attempts: expected at least 1 (got 0)"),
    "eleven attempts": ("title: T\nmax_attempts: 11\n", "2: max_attempts: expected at most 10 (got 11)"),
    "half an attempt": ("title: T\nmax_attempts: 1.5\n", "2: max_attempts: expected a whole number (got 1.5)"),
    "attempts in quotes": ("title: T\nmax_attempts: '3'\n", "2: max_attempts: expected a whole number (got '3')"),
    "attempts that are true": ("title: T\nmax_attempts: true\n", "2: max_attempts: expected a whole number (got true)"),
    "attempts without end": ("title: T\nmax_attempts: .inf\n", "2: max_attempts: expected a whole number (got inf)"),
    "attempts that Python cannot write": (
        f"title: T\nmax_attempts: 0x{'f' * 9000}\n",
        "2: max_attempts: expected at most 10 (got a huge number)",
    ),
    "a control character": (
        'title: T\nbrief: "a\\x07b"\n',
        "2: brief: expected text without the control character U+0007 (got 'a\\x07b')",
    ),
    "NUL, escaped": (
        'title: T\nbrief: "a\\0b"\n',
        "2: brief: expected text without the control character U+0000 (got 'a\\x00b')",
    ),
    "NUL, as a byte": (
        "title: T\nbrief: a\0b\n",
        "2: expected text without the control character U+0000",
    ),
    "a newer line break": (
        'title: "T\\u2028U"\n',
        "1: title: expected text without the control character U+2028 (got 'T\\u2028U')",
    ),
    "an older line break": (
        'title: "T\\x85U"\n',
        "1: title: expected text without the control character U+0085 (got 'T\\x85U')",
    ),
    "no character": (
        'title: "T\\uFFFEU"\n',
        "1: title: expected text without the control character U+FFFE (got 'T\\ufffeU')",
    ),
    "a language that is none": (
        "title: T\nlanguage: pythonic\n",
        "2: language: expected a language as the highlighter names it, such as 'python' (got 'pythonic')",
    ),
    "a language and its version": (
        "title: T\nlanguage: Python 3.12\n",
        "2: language: expected a language as the highlighter names it, such as 'python' (got 'Python 3.12')",
    ),
    "an empty language": ('title: T\nlanguage: ""\n', "2: language: expected text that is not blank (got '')"),
    "half a character": (
        'title: "\\ud800"\n',
        "1: title: expected text without halves of characters (got '\\ud800')",
    ),
    "a character that is none": (
        'title: "\\U00110000"\n',
        "1: expected a character (got a \\U beyond the last one, U+10FFFF)",
    ),
    "a character far off": (
        'title: "\\UFFFFFFFF"\n',
        "1: expected a character (got a \\U beyond the last one, U+10FFFF)",
    ),
    "a key twice": ("title: T\nlevel: beginner\ntitle: U\n", "3: title: is given twice"),
    "a key twice, once in quotes": ('title: T\n"title": T\n', "2: title: is given twice"),
    "a key twice, inside": ("title: T\nmodels:\n  mid: m\n  mid: m\n", "4: models.mid: is given twice"),
    "a key twice, in a list": ("title: T\nconcepts:\n- a: 1\n  a: 2\n", "4: concepts.1.a: is given twice"),
    "a tab": ("title: T\nmodels:\n\tmid: m\n", "3: expected spaces (got a tab)"),
    "other bytes": (b"title: T\n# gr\xfc\xdfe\n", "2: expected UTF-8 (got the byte 0xfc)"),
    "other bytes, last": (b"title: T\n\n\n\xe2\x82", "4: expected UTF-8 (got the byte 0xe2)"),
    "UTF-16": ("title: T\n".encode("utf-16-le") + b"\xff", "2: expected UTF-8 (got the byte 0xff)"),
    "an anchor": ("title: &t T\n", f"1: {NO_ANCHOR}"),
    "an alias of nothing": (
        "title: T\nfocus: *t\n",
        f"2: {NO_ANCHOR}",
    ),
    "a merge key": ("title: T\n<<: {level: beginner}\n", "2: expected text as a key (got '<<')"),
    "a tag of Python": (
        'title: T\nfocus: !!python/object/apply:os.system ["true"]\n',
        f"2: {NO_TAG}",
    ),
    "a tag of an application": ("title: !ENV TITLE\n", f"1: {NO_TAG}"),
    "a tag of YAML": ("title: !!str 5\n", f"1: {NO_TAG}"),
    "a date that is tagged": (
        "title: T\nfocus: !!timestamp never\n",
        f"2: {NO_TAG}",
    ),
    "a number that is tagged": ("title: T\nfocus: !!int ''\n", f"2: {NO_TAG}"),
    "a date that is none": (
        "title: T\nfocus: 2026-13-01\n",
        "2: is no YAML: month must be in 1..12; quotes make it text",
    ),
    "a number that is none": (
        "title: T\nfocus: 0b_\n",
        "2: is no YAML: invalid literal for int() with base 2: ''; quotes make it text",
    ),
    "nothing": ("", "1: is empty; keys and values are expected"),
    "blanks": (" \n\n", "1: is empty; keys and values are expected"),
    "a comment": ("# soon\n", "1: expected keys and values, such as `title: …` (got nothing)"),
    "a list": ("- title: T\n", "1: expected keys and values, such as `title: …` (got a list)"),
    "text": ("Counting words\n", "1: expected keys and values, such as `title: …` (got 'Counting words')"),
    "null": ("~\n", "1: expected keys and values, such as `title: …` (got nothing)"),
    "two documents": (
        "title: T\n---\ntitle: U\n",
        "2: expected one document (got '---', where another begins); remove that line",
    ),
    "an open quote": ('title: "T\n', '1: title: expected another " that closes the one that opens here'),
    "an open bracket": (
        "title: T\nconcepts: [a, b\nlevel: beginner\n",
        f"2: concepts: {OPEN_LIST}",
    ),
    "a colon in a title": (
        "title: Words: counted\n",
        "1: title: expected quotes around text with a colon (got 'Words: counted'); write \"Words: counted\"",
    ),
    "lists within lists": ("title: T\nbrief: " + "[" * 30_000 + "]" * 30_000, "2: is nested too deeply"),
    "mappings within mappings": (
        "title: T\n" + "".join(f"{' ' * n}a:\n" for n in range(200)),
        "22: is nested too deeply",
    ),
    "a huge file": (
        "title: T\n#" + "x" * MAX_BYTES,
        f"1: expected at most {MAX_BYTES:,} bytes (got more)",
    ),
}


@pytest.mark.parametrize(("content", "fault"), WRONG.values(), ids=WRONG)
def test_a_fault_is_a_line(tmp_path: Path, content: str | bytes, fault: str) -> None:
    assert faults(tmp_path, {"x.yml": content}) == [f"topics/x.yml:{fault}"]
    assert FAULT.fullmatch(f"topics/x.yml:{fault}")


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    content = "title: T\n#"
    assert reading(tmp_path, {"x.yml": content + "x" * (MAX_BYTES - len(content))})


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    found = faults(tmp_path, {"x.yml": bomb})
    assert len(found) == bomb.count("&") + bomb.count("*")
    assert set(found) == {f"topics/x.yml:{line}: {NO_ANCHOR}" for line in range(1, 11)}


# What is wrong: many faults, many files, no file


def test_all_faults_of_a_file_are_told(tmp_path: Path) -> None:
    content = "titel: T\nlevel: 5\nmodels:\n  mid: a b\n  foo: x\nmax_attempts: 99\n"
    assert sorted(faults(tmp_path, {"x.yml": content})) == [
        f"topics/x.yml:1: titel: is no key here; {KNOWN}",
        "topics/x.yml:1: title: is missing",
        "topics/x.yml:2: level: expected 'beginner', 'intermediate' or 'advanced' (got 5)",
        "topics/x.yml:4: models.mid: expected a model's name of letters, digits and ._:/@-, without spaces (got 'a b')",
        "topics/x.yml:5: models.foo: is no key here; known are author, mid, weak, judge, first_solver, second_solver",
        "topics/x.yml:6: max_attempts: expected at most 10 (got 99)",
    ]


def test_all_faults_of_all_files_are_told(tmp_path: Path) -> None:
    files = {"a.yml": "title: 5", "b.yml": "title: T", "c.yml": "", "d.yaml": "\n\nfocus: [", "E.yml": "title: T"}
    told = [fault.split(": ")[0] for fault in faults(tmp_path, files)]
    assert told == ["topics/E.yml:1", "topics/a.yml:1", "topics/c.yml:1", "topics/d.yaml:3"]


def test_an_id_is_one_topics(tmp_path: Path) -> None:
    files = {"words.yml": "title: T", "words.yaml": "title: T"}
    assert faults(tmp_path, files) == [
        "topics/words.yml:1: the id 'words' is topics/words.yaml's already; rename or remove one of them"
    ]


@pytest.mark.parametrize(
    ("stem", "shown"),
    [
        ("Words", None), ("two words", None), ("a_b", None), ("a.b", None), ("-a", None), ("a-", None), ("a--b", None),
        ("zählen", None), ("a" * 81, None), ("\uff41", None), ("٣", None),
        ("a\nb", r"a\nb"), ("a\x1bb", r"a\x1bb"), ("a\u202eb", r"a\u202eb"),
    ],
)  # fmt: skip
def test_an_id_is_fit_for_an_address(tmp_path: Path, stem: str, shown: str | None) -> None:
    (fault,) = faults(tmp_path, {f"{stem}.yml": "title: T"})
    wanted = "expected a name of a-z, 0-9 and single hyphens, 80 at most"
    assert fault == f"topics/{shown or stem}.yml:1: {wanted} (got {stem!r})"


def test_a_name_that_is_no_utf_8_is_shown(tmp_path: Path) -> None:
    try:
        found = faults(tmp_path, {os.fsdecode(b"\xff.yml"): "title: T"})
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    assert found == [r"topics/\udcff.yml:1: expected a name of a-z, 0-9 and single hyphens, 80 at most (got '\udcff')"]


@pytest.mark.parametrize("stem", ["a", "9", "dpo-post-training", "a" * 80])
def test_ids_that_are_fit(tmp_path: Path, stem: str) -> None:
    assert [topic.id for topic in reading(tmp_path, {f"{stem}.yml": "title: T"})] == [stem]


def test_a_folder_is_no_topic_file(tmp_path: Path) -> None:
    (tmp_path / "topics" / "x.yml").mkdir(parents=True)
    assert faults(tmp_path, {}) == ["topics/x.yml:1: cannot be read (Is a directory)"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "topics"
    folder.mkdir()
    (folder / "gone.yml").symlink_to("nowhere")
    (folder / "loop.yml").symlink_to("loop.yml")
    assert faults(tmp_path, {}) == [
        "topics/gone.yml:1: cannot be read (No such file or directory)",
        "topics/loop.yml:1: cannot be read (Too many levels of symbolic links)",
    ]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read_topics(tmp_path / "topics", tmp_path)
    assert raised.value.faults == ("topics:1: is no folder; topics are expected there, one `<id>.yml` each",)


def test_a_file_where_the_folder_is_expected(tmp_path: Path) -> None:
    (tmp_path / "topics").write_text("title: T")
    with pytest.raises(InputError, match=r"^topics:1: is no folder"):
        read_topics(tmp_path / "topics", tmp_path)


# Whatever is in a file, there is a topic or there are faults

KEYS = st.sampled_from([*keys(TopicFile), "author", "<<", "=", "1", "~", "? [a]\n", "é", '"\\ud800"', "a b"])
SCALARS = st.sampled_from(
    [
        *[
            "T",
            "5",
            "1.5",
            "0x",
            "0b_",
            "1:2:3",
            "0o9",
            "1e999",
            ".nan",
            "2026-02-30",
            "2026-01-01T99:00:00Z",
            "yes",
            "~",
            "=",
            "<<",
        ],
        *[
            "&a",
            "*a",
            "&a T",
            "!!int x",
            "!!binary x",
            "!!set {a}",
            "!foo",
            "!<x>",
            "|",
            ">+",
            "%TAG",
            "@",
            "`",
            "[",
            "]",
            "{",
            "}",
            "? ",
            "- a",
        ],
        *[
            '"\\UFFFFFFFF"',
            '"\\ud800"',
            '"\\x07"',
            "'",
            '"',
            "#",
            "\t",
            "\0",
            "\x85",
            "\u2028",
            "\ufeff",
            "9" * 5000,
            "\r",
            "beginner",
        ],
    ]
)
VALUES = st.recursive(
    SCALARS | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | st.tuples(KEYS, inner).map(lambda pair: f"{{{pair[0]}: {pair[1]}}}")
        | inner.map(lambda part: f"\n  - {part}")
        | st.tuples(KEYS, inner).map(lambda pair: f"\n  {pair[0]}: {pair[1]}")
    ),
    max_leaves=4,
)
YAMLISH = st.lists(st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]}: {pair[1]}\n") | SCALARS, max_size=5).map(
    "".join
)


@pytest.mark.heavy
@settings(deadline=None, max_examples=400)
@given(content=st.binary(max_size=60) | YAMLISH.map(lambda text: f"title: T\n{text}".encode("utf-8", "surrogatepass")))
def test_any_file_is_a_topic_or_has_faults(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    root.mkdir(exist_ok=True)
    reading(root, {"x.yml": content})
    topics, broken = read_topics(root / "topics", root)
    assert len(topics) + len(broken) == 1
    for topic in topics:
        assert topic.title.strip()
        assert Topic.model_validate_json(topic.model_dump_json(by_alias=True)) == topic
        return
    [faults] = [topic.faults for topic in broken]
    assert faults
    lines = len(re.split("\r\n|[\n\r\x85\u2028\u2029]", content.decode("utf-8", "replace")))
    for fault in faults:
        told = FAULT.fullmatch(fault)
        assert told, fault
        assert int(told[1]) <= lines
