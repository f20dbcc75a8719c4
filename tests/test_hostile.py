"""What strangers may try beside the pages: other files, other people's money and keys, the terminal, the parser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from werkzeug import Response

import answers
import readers
from conftest import Project
from errorspan.answers.outputs import Assessment, Implementation
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import PULL_REQUESTS, Settings
from errorspan.authoring.tiers import KEY_VARIABLES
from errorspan.authoring.topics import read_topics
from errorspan.commands import prompts
from errorspan.commands.board import Board
from errorspan.commands.reporting import Told
from errorspan.commands.telling import Failure
from errorspan.course import Course
from errorspan.models.redaction import redacted, without_secrets
from errorspan.pipeline import Progress
from errorspan.record.manifest import Entry, Reply
from errorspan.record.record import Record
from errorspan.runs.progress import Tally
from errorspan.site import published
from errorspan.steps.table import SOLVE, STEPS, Pass
from errorspan.text.errors import InputError, shown
from hostile import COMMANDS, HARMLESS, PAYLOADS, Case, HostileAPI
from messages_api import Body, MessagesAPI, error, message

SECRET = "what no page may hold"


def write_run(project: Project, topic: str) -> Path:
    """Write a topic and a whole run by hand."""
    project.topic(topic)
    for name, text in readers.FILES.items():
        project.write(f"topics/runs/{topic}/{name}", text)
    return project.folder / "topics/runs" / topic


def told(project: Project) -> str:
    """Return what a strict build without a key says of a course that it refuses: no traceback, and on no page."""
    done = project.build("--strict", key=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all(line.isprintable() for line in done.stderr.split("\n"))
    assert SECRET.encode() not in b"".join([done.stderr.encode(), *project.files("site").values()])
    return done.stderr


# Files


def test_no_link_leads_a_build_to_a_file_elsewhere(project: Project) -> None:
    secret = project.write("secret.yml", f"title: {SECRET}\n")
    run = write_run(project, "linked")
    (run / "attempt-1/weak_implementation.md").unlink()
    (run / "attempt-1/weak_implementation.md").symlink_to(secret)
    assert "linked/attempt-1/weak_implementation.md:1: cannot be read (it is reached by a link)" in told(project)
    (project.folder / "topics/words.yml").symlink_to(secret)
    (project.folder / "topics/more.yml").symlink_to("../secret.yml")
    said = told(project)
    for name in ("words", "more"):
        assert f"topics/{name}.yml:1: is a link to a file of another folder" in said


def linked_file(root: Path, run: Path) -> None:
    (run / "attempt-1/weak_implementation.md").unlink()
    (run / "attempt-1/weak_implementation.md").symlink_to(root / "secret.md")


def linked_manifest(root: Path, run: Path) -> None:
    (run / "run.json").symlink_to(root / "secret.json")


def linked_attempt(root: Path, run: Path) -> None:
    (run / "attempt-1").rename(root / "elsewhere")
    (run / "attempt-1").symlink_to("../../../elsewhere")


def linked_run(root: Path, run: Path) -> None:
    run.rename(root / "elsewhere")
    run.symlink_to("../../elsewhere")


def other_record(_: Path, run: Path) -> None:
    run.rename(run.with_name("other"))
    run.symlink_to("other")


@pytest.mark.parametrize("link", [linked_file, linked_manifest, linked_attempt, linked_run, other_record])
def test_a_record_holds_its_own_files_and_no_link(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    readers.project(tmp_path)
    (tmp_path / "secret.md").write_text(readers.FILES["attempt-1/weak_implementation.md"])
    (tmp_path / "secret.json").write_text(json.dumps({"note": SECRET}))
    link(tmp_path, tmp_path / "topics/runs/words")
    with pytest.raises(InputError) as raised:
        readers.replayed(tmp_path)
    (fault,) = raised.value.faults
    assert re.fullmatch(r"topics/runs/words/\S+:1: cannot be read \(it is reached by a link\)", fault)


OF_A_COURSE = [
    "topics",
    "topics/words.yml",
    "topics/words.review.yml",
    "topics/words.tests.py",
    "topics/runs",
    "topics/runs/words",
    "topics/runs/words/attempt-1",
    *(f"topics/runs/words/{name}" for name in (*readers.FILES, "run.json", "proof.json", "blind_solve-first.json")),
    ".cache",
    ".cache/errorspan",
    ".cache/errorspan/published.json",
    ".cache/errorspan/words",
    ".cache/errorspan/words.lock",
    ".cache/errorspan/words/rejected",
    ".cache/errorspan/words/superseded",
    ".cache/errorspan/words/superseded/attempt-1",
]


@pytest.mark.parametrize("level", OF_A_COURSE)
def test_no_level_of_a_course_may_be_a_link(tmp_path: Path, level: str) -> None:
    """A stranger may commit any of them as one: `.cache` too, by force."""
    root, elsewhere, place = tmp_path / "course", tmp_path / "elsewhere", tmp_path / "course" / level
    root.mkdir()
    readers.project(root)
    (root / ".cache/errorspan/words/superseded/attempt-1").mkdir(parents=True)
    elsewhere.mkdir()
    target = elsewhere / place.name
    if place.exists():
        place.rename(target)
    elif place.suffix or place.name == "rejected":
        target.write_text("{}") if place.suffix else target.mkdir()
    place.symlink_to(target)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"link|is no file of this folder"):
        use(root)
    assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before


def use(root: Path) -> None:
    """Do what builds and commands do with a course's files."""
    course = Course.read(root / "mkdocs.yml", {})
    [run] = course.replay(["words"], steps=STEPS + SOLVE, recover=True)
    record = course.record(run.topic)
    with record.locked():
        request = run.open[0].request()
        with record.room(request) as receive:
            receive(REPLY)
        record.drop([], request)
        record.keep("attempt-1/challenge.json", "{}", ENTRY)
    published.note(root, root / "site", ["exercises/index.html"])


REPLY = Reply(text="", model="m", stop_reason="end_turn", usage=Usage(), asked_at="2026-01-02T03:04:05Z", seconds=1)
ENTRY = Entry(origin="authored", digest="0" * 64)


def test_an_answer_in_a_folder_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("site_name: A course\n")
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics/words.yml").write_text("title: Counting words\n")
    (tmp_path / "secret.md").write_text(SECRET)
    course = Course.read(tmp_path / "mkdocs.yml", {})
    prompts.write(course, tmp_path / "asked")
    (tmp_path / "asked/words/categories.json.answer.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(Failure, match="reached by a link") as raised:
        prompts.take(course, tmp_path / "asked", Told.model_construct(whom="m", how=None, by="me"))
    assert SECRET not in str(raised.value)
    assert not (tmp_path / "topics/runs").exists()


def test_nothing_is_moved_or_written_through_a_link(project: Project) -> None:
    project.write("elsewhere/notes.txt", "mine")
    run = write_run(project, "words")
    (run / "assessment.json").unlink()
    (run / "attempt-2").symlink_to(project.folder / "elsewhere")
    asked = project.errorspan("run", "words")
    assert "topics/runs/words/attempt-2:1: cannot be read (it is reached by a link)" in asked.stderr
    assert project.files("elsewhere") == {"notes.txt": b"mine"}
    journal = Record("topics/runs/words", run, project.folder / "journal")
    journal.journal.symlink_to(project.folder / "elsewhere")
    with pytest.raises(InputError, match="is reached by a link"), journal.locked():
        pass
    assert project.files("elsewhere") == {"notes.txt": b"mine"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("key", "../other/*"),
        ("key", "/etc/*"),
        ("digest", "../../secret"),
        ("at", "2026-02-31T00:00:00Z"),
        ("seconds", -1),
        ("seconds", "NaN"),
        ("usage", {"input_tokens": 10**4000}),
        ("usage", {"output_tokens": -1}),
    ],
)
def test_a_manifest_names_no_other_file_and_no_day_that_is_none(tmp_path: Path, place: str, value: object) -> None:
    readers.project(tmp_path)
    entry = {
        "origin": "model", "digest": "0" * 64, "at": "2026-01-02T03:04:05Z", "key": "0" * 64, "model": "m",
        "seconds": 1, "usage": {"input_tokens": 1}, "stop_reason": "end_turn",
    }  # fmt: skip
    whole = {"answers": {"categories.json": entry | {"digest": readers.digest_of("categories.json")}}}
    assert readers.record(tmp_path, "run.json", json.dumps(whole).encode()) == ()
    whole["answers"]["categories.json"][place] = value
    written = json.dumps(whole).replace('"NaN"', "NaN").encode()
    faults = readers.record(tmp_path, "run.json", written)
    assert faults
    assert all(fault.startswith(f"topics/runs/words/run.json:1: answers.categories.json.{place}") for fault in faults)


@pytest.mark.parametrize("name", ["../words", "wo/rds", "Words", "WORDS", "words.", "wörds", "..", "-x", "a--b", "a_b"])
def test_no_topic_can_have_the_name_of_anothers_record(tmp_path: Path, name: str) -> None:
    path = tmp_path / "topics" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("title: T\n")
    (tmp_path / "topics").mkdir(exist_ok=True)
    if path.parent.resolve() != tmp_path / "topics" or path.name.startswith("."):  # the latter is an editor's
        assert read_topics(tmp_path / "topics", tmp_path) == ([], [])
        return
    topics, [broken] = read_topics(tmp_path / "topics", tmp_path)
    assert not topics
    assert not broken.addressed
    assert "expected a name of a-z, 0-9 and single hyphens" in broken.faults[0]


# What the shapes refuse


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_what_is_no_free_text_refuses_any_text(payload: Any) -> None:
    """What is left of the fields: where a stranger chooses among a few words, harm is a fault with its place."""
    challenge, judgment, assessment = (deepcopy(json.loads(readers.SAID[f"{name}.json"])) for name in NAMED)
    changes: list[tuple[str, Any, Callable[[Any], Any], str]] = [
        ("challenge", challenge, lambda said: said.update(language=payload.text), "language"),
        ("judgment", judgment, lambda said: said.update(better=payload.text), "better"),
        ("judgment", judgment, lambda said: said["failures"][0].update(pattern=payload.text), "failures.1.pattern"),
        ("assessment", assessment, lambda said: said["errors"][0].update(id=payload.text), "errors.1.id"),
        ("assessment", assessment, lambda said: said["errors"][0].update(failure=payload.text), "errors.1.failure"),
        ("assessment", assessment, lambda said: said["errors"][0].update(severity=payload.text), "errors.1.severity"),
        ("assessment", assessment, lambda said: said["errors"][0].update(quote=payload.text), "errors.1.quote"),
        ("assessment", assessment, lambda said: said.update(code=payload.text), "code"),
        ("assessment", assessment, lambda said: said.update({payload.text: 1}), ""),
    ]
    for name, said, change, place in changes:
        changed = deepcopy(said)
        change(changed)
        step = next(step for step in STEPS if step.name == name)
        faults = readers.answer(step, json.dumps(changed))
        assert any(fault.startswith(place) for fault in faults), (place, faults)


NAMED = ("challenge", "judgment-ab", "assessment")


# Money


@pytest.mark.parametrize("event", ["pull_request_target", "merge_request_event"])
def test_the_build_of_a_pull_request_spends_nothing(project: Project, messages_api: MessagesAPI, event: str) -> None:
    project.topic("words", "title: Words\nmax_attempts: 10\nmodels: {weak: judge-model, mid: judge-model}\n")
    project.environment[next(name for name, said in PULL_REQUESTS.items() if event.startswith(said))] = event
    built = project.build()
    assert built.returncode == 0
    assert "Nothing is asked: this is the build of a pull request." in built.stderr
    assert "topics/words.yml awaits its first run" in built.stderr
    assert not messages_api.calls


def test_a_topic_cannot_raise_what_may_be_spent(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words", "title: Words\nmax_attempts: 10\nmodels: {author: judge-model, weak: judge-model}\n")
    assert "more than the $25.00 that max_cost_usd allows" in project.build().stderr
    for key in (
        "max_attempts: 11",
        "max_cost_usd: 99",
        "prices: {judge-model: {input: 0, output: 0}}",
        "offline: false",
    ):
        project.topic("words", f"title: Words\n{key}\n")
        topics, [broken] = read_topics(project.folder / "topics", project.folder)
        assert not topics
        assert broken.faults[0].startswith(f"topics/words.yml:2: {key.partition(':')[0]}: ")
    assert not messages_api.calls


# Secrets

KEY, TOKEN = "sk-ant-CANARY-api03-0123456789", "oauth-CANARY-0123456789"
USER, PASSWORD = "user-of-CANARY", "CANARY/p@ss-word"
HEADER = "CANARY-of-a-proxy"
ENCODED = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
KINDS = ("status", "denied", "down", "refused", "no JSON", "no message", "wait", "not usable", "cut")


class EchoAPI(HostileAPI):
    """Fail each case at a step of its own, in a way of its own, saying again every header that it was sent."""

    def __init__(self, failing: dict[str, tuple[str, str]]) -> None:
        super().__init__([Case(name, HARMLESS, HARMLESS) for name in failing])
        self.failing = failing

    def reply(self, call: Body) -> Response:
        """Say what was sent, in each of the ways."""
        step, prompt = call["step"], call["messages"][0]["content"]
        found = re.search(r"case\d\d", prompt)
        assert found
        echo = " ".join(
            f"{name}: {value}" for name, value in call["headers"].items() if "CANARY" in value or ENCODED in value
        )
        wanted, kind = self.failing[found[0]]
        if step != wanted:
            reply = json.loads(super().reply(call).get_data())
            reply["content"][0]["text"] = reply["content"][0]["text"].replace("plain words", echo)
            return Response(json.dumps(reply | {"model": echo}), content_type="application/json")
        cut = f"{'x' * 280} {echo}"  # where messages are cut
        failures: dict[str, Callable[[], Response]] = {
            "status": lambda: error(400, echo, **{"x-echo": echo, "request-id": echo}),
            "denied": lambda: error(401, cut, **{"x-echo": echo}),
            "down": lambda: error(529, echo, **{"retry-after-ms": "1"}),
            "refused": lambda: message("", stop_reason="refusal", stop_details={"type": "refusal", "category": echo}),
            "no JSON": lambda: Response(f"<html>{echo}</html>", headers={"x-echo": echo}),
            "no message": lambda: Response(json.dumps({"error": echo, "model": echo}), content_type="application/json"),
            "wait": lambda: error(429, echo, **{"retry-after": "9999"}),
            "not usable": lambda: message(json.dumps({echo: echo, "title": echo})),
            "cut": lambda: message(echo, stop_reason="max_tokens"),
        }
        return failures[kind]()


@pytest.mark.heavy
@pytest.mark.parametrize(
    "secrets",
    [
        {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_CUSTOM_HEADERS": f"x-proxy: {HEADER}"},
        {"ANTHROPIC_AUTH_TOKEN": TOKEN, "ANTHROPIC_LOG": "debug"},
        {
            "ANTHROPIC_API_KEY": KEY,
            "user": f"{USER}:{PASSWORD.replace('/', '%2F').replace('@', '%40')}@",
            "ANTHROPIC_LOG": "debug",
        },
    ],
    ids=["key", "token", "address"],
)
def test_no_secret_is_kept_or_told(project: Project, serve: Callable[[Any], str], secrets: dict[str, str]) -> None:
    steps = [step.name for step in STEPS]
    failing = {f"case{n:02}": (steps[n % len(steps)], kind) for n, kind in enumerate(KINDS)} | {"case09": ("", "")}
    api = EchoAPI(failing)
    address = serve(api).replace("//", f"//{secrets.get('user', '')}")
    project.environment = secrets | {"ANTHROPIC_BASE_URL": address}
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "max_retries: 1\n    max_cost_usd: 9999"))
    for name in failing:
        project.topic(name, Case(name, HARMLESS, HARMLESS).topic)
    # The SDK reads its log's level as it is imported.
    said = [project.errorspan("run", cold=True), project.build("-v", cold=True)]
    assert [done.returncode for done in said] == [1, 0]
    assert any("CANARY" in str(call["headers"]) or ENCODED in str(call["headers"]) for call in api.calls)
    assert "[secret]" in project.run_pages("case09")
    output = "".join(done.stdout + done.stderr for done in said)
    assert output.count("[secret]") > len(KINDS)
    assert ("HTTP Response: POST" in output) == ("ANTHROPIC_LOG" in secrets)
    files = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    for hidden in ("CANARY", "%2Fp%40ss", ENCODED[2:18]):
        assert hidden not in output
        assert not [path for path, content in files.items() if hidden.encode() in content]


def test_a_word_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "lm-studio")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://[::1")
    assert (
        redacted("lm-studio at http://me:word@host/ and a@b", KEY_VARIABLES)
        == "lm-studio at http://[secret]@host/ and a@b"
    )


def test_an_answers_own_addresses_stay_word_for_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    code = 'create_engine(f"postgresql://{user}:{password}@{host}/db")'
    assert without_secrets(f"{code} {KEY}", KEY_VARIABLES) == f"{code} [secret]"


# The terminal


def progress(said: str) -> Progress:
    """Return a reply whose every word means harm."""
    reply = Reply(text=said, model=said, stop_reason=said, usage=Usage(), asked_at="2026-01-02T03:04:05Z", seconds=1)
    return Progress("words", Pass(STEPS[0]), "m", reply, (said,))


@pytest.mark.parametrize(
    ("said", "shows"),
    [
        ("::error file=x::owned", "\\x3a:error file=x::owned"),
        ("  ::stop-commands::x", "  \\x3a:stop-commands::x"),
        ("a ##[add-mask]e", "a ##\\x5badd-mask]e"),
        ("topics/words.yml:1: std::vector", "topics/words.yml:1: std::vector"),
    ],
)
def test_a_message_commands_no_ci(said: str, shows: str) -> None:
    """GitHub Actions obeys a line of a log that begins with two colons, or holds `##[` anywhere."""
    assert shown(said) == shows
    assert InputError([said]).faults == (shows,)


@pytest.mark.parametrize("said", [COMMANDS, "[/bold]", "[link=file:///etc]x[/link]", "\u202ex", "\n::error::x"])
def test_a_reply_commands_no_terminal(said: str) -> None:
    lines: list[str] = []
    tally = Tally(Settings(), lines.append)
    tally(progress(said))
    assert all(line.isprintable() for line in lines)
    board = Board(["words"], tally)
    board(progress(said))
    console = Console(record=True, width=200, force_terminal=True)
    with console.capture() as shown:
        console.print(board.table())
    assert "[/bold]" not in said or said in shown.get()
    assert "file:" not in said or "[link=" in shown.get()
    assert not re.search("\x1b\\]|\x9b|\x07|\u202e", shown.get())


# Readers: read, or refused in words


def mended(value: Any) -> st.SearchStrategy[Any]:
    """Return JSON like this, with a part changed."""
    if isinstance(value, dict):
        inner = st.sampled_from(sorted(value)).flatmap(
            lambda key: (
                mended(value[key]).map(lambda part: {**value, key: part})
                | st.just({name: part for name, part in value.items() if name != key})
                | TEXT.map(lambda name: {**value, name: value[key]})
            )
        )
    elif isinstance(value, list) and value:
        inner = st.integers(0, len(value) - 1).flatmap(
            lambda at: (
                mended(value[at]).map(lambda part: [*value[:at], part, *value[at + 1 :]])
                | st.just([*value, value[at]])
                | st.just([*value[:at], *value[at + 1 :]])
            )
        )
    else:
        inner = st.nothing()
    return inner | ODD


TEXT = st.text(max_size=30) | st.sampled_from([payload.text for payload in PAYLOADS])
ODD = (
    TEXT
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from([10**400, [], {}, answers.CODE, answers.WEAK, "F1", "totals", "\n", "2026-02-31T00:00:00Z"])
)
MANIFEST = {
    "format": 1, "note": "A note",
    "answers": {
        "categories.json": {
            "origin": "model", "digest": readers.digest_of("categories.json"), "at": "2026-01-02T03:04:05Z",
            "key": "0" * 64, "model": "m", "served": "n", "seconds": 1.5, "usage": {"input_tokens": 1},
            "stop_reason": "end_turn", "pipeline": "0.1",
            "rejected": [
                {
                    "file": "categories.json", "model": "m", "stop_reason": "end_turn", "usage": {"output_tokens": 1},
                    "at": "2026-01-02T03:04:05Z", "seconds": 2, "faults": ["a fault"],
                }
            ],
        }
    },
    "discarded": [],
}  # fmt: skip


def changed(name: str) -> st.SearchStrategy[str]:
    """Return a file's text with something changed."""
    text = json.dumps(MANIFEST) if name == readers.RUN else readers.FILES[name]
    if name.endswith(".md"):
        return st.tuples(
            st.integers(0, len(text)), st.integers(0, 40), TEXT | st.sampled_from(["```", "~~~", "\n"])
        ).map(lambda cut: text[: cut[0]] + cut[2] + text[cut[0] + cut[1] :])
    return st.integers(1, 3).flatmap(lambda _: mended(json.loads(text))).map(json.dumps) | st.text(max_size=40)


STEPS_AND_TEXTS = st.sampled_from(readers.PASSES).flatmap(
    lambda taken: st.tuples(st.just(taken[0]), changed(readers.file(*taken)))
)
FILES_AND_TEXTS = st.sampled_from([*readers.FILES, readers.RUN]).flatmap(
    lambda name: st.tuples(st.just(name), changed(name))
)


@settings(max_examples=300)
@given(STEPS_AND_TEXTS)
@example((STEPS[0], '{"a\\nb": 1}'))
@example((STEPS[0], '{"\\u001b[31m": 1}'))
def test_any_answer_is_read_or_has_faults(taken: tuple[Any, str]) -> None:
    readers.answer(*taken)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    readers.project(folder)
    return folder


@pytest.mark.heavy
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(FILES_AND_TEXTS)
@example(("run.json", "[" * 100_000))
@example(("run.json", '{"format": ' + "9" * 5000 + "}"))
@example(("categories.json", "{" * 100_000))
def test_any_record_is_replayed_or_has_faults(course: Path, taken: tuple[str, str]) -> None:
    file, text = taken
    readers.record(course, file, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("line", ["```" + " " * 400_000 + "`", "```" + "a" * 400_000 + "`"], ids=["blanks", "a name"])
def test_a_line_that_is_no_fence_is_seen_at_once(line: str) -> None:
    assert Implementation(text=f"{line}\n").fences == []


def test_a_quote_that_stands_everywhere_is_seen_at_once() -> None:
    wrong = [answers.ASSESSMENT["errors"][0] | {"quote": "a" * 150_000, "line": 1}] * 2
    said = Assessment.model_validate(answers.ASSESSMENT | {"code": "a" * 300_000, "errors": wrong})
    assert said.span(said.errors[0]) is None
