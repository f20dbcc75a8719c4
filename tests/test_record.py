"""The record and its journal: nothing that was received is lost, and nothing that was paid for is forgotten."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from errorspan.authoring.prices import Usage
from errorspan.record.manifest import FORMAT, Entry, Manifest, Recorded, Rejected, Reply, authored, digest
from errorspan.record.record import Record
from errorspan.steps.prompting import Request, repaired
from errorspan.text import disk
from errorspan.text.errors import Busy, DiskError, InputError

ASKED = Request("challenge", 1, "", "some-model", "system", (("user", "prompt"),), {"type": "object"}, 100)
MENDED = repaired(ASKED, "First", ["too short"])
FILE = "attempt-1/challenge.json"
AT = "2026-01-02T03:04:05Z"
PAID = Usage(input_tokens=10, output_tokens=5)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Return an empty record."""
    return opened(tmp_path)


def opened(root: Path) -> Record:
    """Return the record as another process opens it."""
    return Record("topics/runs/words", root / "runs/words", root / "cache/words")


def reply(text: str = "said") -> Reply:
    """Return what a model said."""
    return Reply(text=text, model="some-model", stop_reason="end_turn", usage=PAID, asked_at=AT, seconds=2)


def entry(text: str = "said", **more: Any) -> Entry:
    """Return the manifest's entry for a model's answer."""
    told = {"key": ASKED.key, "model": "some-model", "seconds": 2, "usage": PAID, "stop_reason": "end_turn", "at": AT}
    return Entry.model_validate({"origin": "model", "digest": digest(text)} | told | more)


def rejected(fault: str = "too short") -> Rejected:
    """Return a reply that did not count."""
    return Rejected(file=FILE, model="some-model", stop_reason="end_turn", usage=PAID, at=AT, seconds=1, faults=[fault])


def files(folder: Path) -> list[str]:
    """Return the files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def ahead(record: Record, request: Request) -> None:
    """Make a reply in the journal newer than what follows, as a clock does that is set back."""
    path = record.journal / f"{request.chain}.{request.repairs}.{request.key}.json"
    os.utime(path, (path.stat().st_mtime + 3600,) * 2)


def on_disk(record: Record) -> Manifest:
    """Return run.json as it stands."""
    return Manifest.model_validate_json((record.folder / "run.json").read_bytes())


# The journal


def test_a_reply_is_found_by_its_request(record: Record) -> None:
    assert record.received(ASKED) is None
    assert not record.pending
    record.receive(ASKED, reply("é \ufffd\u2028"))
    assert record.pending
    assert record.received(ASKED) == reply("é \ufffd\u2028")
    assert record.received(MENDED) is None
    assert record.received(replace(ASKED, model="another")) is None


def test_a_chain_of_repairs_is_named_by_its_first_request(record: Record) -> None:
    record.receive(ASKED, reply())
    record.receive(MENDED, reply())
    assert files(record.journal) == sorted(
        f"{ASKED.key[:32]}.{asked.repairs}.{asked.key}.json" for asked in (ASKED, MENDED)
    )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"text": "said"}', "\ufeff"])
def test_half_a_reply_is_none(record: Record, content: str) -> None:
    record.receive(ASKED, reply())
    (path,) = record.journal.glob("*.json")
    path.write_text(content, "utf-8")
    assert record.received(ASKED) is None


def test_a_failed_write_leaves_nothing_behind(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record.receive(ASKED, reply("first"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.os, "fsync", full)
    with pytest.raises(
        DiskError, match=r"No space left on device\), and a reply .* is lost with it; free space on the"
    ):
        record.receive(ASKED, reply("second"))
    assert len(files(record.journal)) == 1
    assert record.received(ASKED) == reply("first")


# Keeping


def test_an_answer_that_is_kept_leaves_the_journal(record: Record, tmp_path: Path) -> None:
    other = replace(ASKED, step="categories")
    for asked in (ASKED, other):
        record.receive(asked, reply())
    assert record.keep(FILE, "said", entry()) == Recorded(FILE, "said", entry())
    assert files(record.folder) == [FILE, "run.json"]
    assert files(record.journal) == [f"{other.chain}.0.{other.key}.json"]
    assert opened(tmp_path).find(FILE) == Recorded(FILE, "said", entry())


def test_what_was_mended_is_set_aside(record: Record) -> None:
    record.receive(ASKED, reply("First"))
    record.receive(MENDED, reply())
    ahead(record, ASKED)
    record.keep(FILE, "said", entry(rejected=[rejected()]))
    (kept,) = files(record.journal)
    assert kept == f"rejected/{ASKED.chain}.0.{ASKED.key}.json"
    assert Reply.model_validate_json((record.journal / kept).read_bytes()).text == "First"
    assert not record.pending


def test_a_later_answer_keeps_what_the_first_one_cost(record: Record) -> None:
    record.keep(FILE, "first", entry("first", rejected=[rejected()]))
    record.keep(FILE, "second", entry("second"))
    manifest = on_disk(record)
    assert manifest.answers == {FILE: entry("second")}
    assert [(one.file, one.usage, one.faults) for one in manifest.discarded] == [
        (FILE, PAID, ["too short"]),
        (FILE, PAID, ["superseded by a later answer"]),
    ]
    assert (manifest.discarded[1].seconds, manifest.discarded[1].at) == (2, AT)
    assert (record.journal / "superseded" / FILE).read_text() == "first"
    record.keep(FILE, "third", entry("third"))
    assert (record.journal / "superseded" / f"{FILE}.2").read_text() == "second"
    assert len(on_disk(record).discarded) == 3


def test_what_a_person_wrote_had_no_price(record: Record) -> None:
    record.keep(FILE, "mine", Entry(origin="authored", digest=digest("mine")))
    record.keep(FILE, "said", entry())
    assert on_disk(record).discarded == []
    assert (record.journal / "superseded" / FILE).read_text() == "mine"


def test_what_a_person_edited_had_one(record: Record) -> None:
    record.keep(FILE, "said", entry(origin="authored", edited="2026-02-03", rejected=[rejected()]))
    record.keep(FILE, "again", entry("again"))
    assert [one.usage for one in on_disk(record).discarded] == [PAID, PAID]


def test_a_chain_that_led_nowhere_is_dropped_with_its_costs(record: Record) -> None:
    other = replace(ASKED, step="categories")
    for asked in (ASKED, MENDED, other):
        record.receive(asked, reply())
    record.drop([rejected("first"), rejected("second")], MENDED)
    assert [one.faults for one in on_disk(record).discarded] == [["first"], ["second"]]
    assert record.received(ASKED) is None
    assert record.received(MENDED) is None
    assert record.received(other) == reply()
    assert len(files(record.journal / "rejected")) == 2


def test_nothing_in_rejected_is_written_over(record: Record) -> None:
    for text in ("first", "second", "third"):
        record.receive(ASKED, reply(text))
        record.drop([rejected()], ASKED)
    found = {
        path.name: Reply.model_validate_json(path.read_bytes()).text for path in (record.journal / "rejected").iterdir()
    }
    name = f"{ASKED.chain}.0.{ASKED.key}.json"
    assert found == {name: "first", f"{name}.2": "second", f"{name}.3": "third"}
    assert not record.pending
    assert len(on_disk(record).discarded) == 3


def test_an_abandoned_attempt_keeps_its_costs(record: Record) -> None:
    record.keep("attempt-1/challenge.json", "one", entry("one"))
    record.keep("attempt-2/challenge.json", "two", entry("two", rejected=[rejected()]))
    record.keep("attempt-2/weak_implementation.md", "mine", Entry(origin="authored", digest=digest("mine")))
    record.discard("attempt-2")
    assert files(record.folder) == ["attempt-1/challenge.json", "run.json"]
    manifest = on_disk(record)
    assert list(manifest.answers) == ["attempt-1/challenge.json"]
    assert [one.faults for one in manifest.discarded] == [["too short"], ["superseded by a later answer"]]
    assert files(record.journal / "superseded") == ["attempt-2/challenge.json", "attempt-2/weak_implementation.md"]


# The lock


def test_what_a_killed_process_left_behind_is_cleared(record: Record, tmp_path: Path) -> None:
    """It was killed when the answer was in the record, and its reply still in the journal."""
    record.keep(FILE, "said", entry())
    record.receive(ASKED, reply("First"))
    record.receive(MENDED, reply())
    ahead(record, ASKED)
    other = replace(ASKED, step="categories")
    record.receive(other, reply())
    again = opened(tmp_path)
    with again.locked():
        assert again.received(MENDED) is None
        assert again.received(other) == reply()
    assert files(again.journal) == sorted(
        [f"{other.chain}.0.{other.key}.json", f"rejected/{ASKED.chain}.0.{ASKED.key}.json"]
    )


@pytest.mark.parametrize("when", range(6))
@pytest.mark.parametrize("before", [[], ["first"]], ids=["a first answer", "a later one"])
def test_a_killed_process_loses_nothing(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: int, before: list[str]
) -> None:
    """It is killed before each thing that it does to the disk: the reply is in the record, or else in the journal."""
    for text in before:
        record.keep(FILE, text, entry(text, key="0" * 64))
    record.receive(ASKED, reply())
    done = 0

    def mortal(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done > when:
                raise KeyboardInterrupt
            return act(*arguments, **named)

        return acting

    with monkeypatch.context() as patched:
        patched.setattr(disk, "put", mortal(disk.put))
        patched.setattr(disk, "move", mortal(disk.move))
        patched.setattr(Path, "unlink", mortal(Path.unlink))
        try:
            record.keep(FILE, "said", entry())
        except KeyboardInterrupt:
            pass
        else:
            assert done <= when
    again = opened(tmp_path)
    with again.locked():
        found = again.find(FILE)
        if found is None or found.text in before:  # it is asked for again with `--refresh`
            assert again.received(ASKED) == reply()
            found = again.keep(FILE, "said", entry())
    assert found == Recorded(FILE, "said", entry())
    assert [one.faults for one in on_disk(again).discarded] == [["superseded by a later answer"] for _ in before]
    assert not again.pending


def test_one_process_writes_at_a_time(record: Record, tmp_path: Path) -> None:
    other = opened(tmp_path)
    with (
        record.locked(),
        pytest.raises(Busy, match=r"^another process is writing topics/runs/words$"),
        other.locked(lambda: False),
    ):
        pytest.fail("two writers")
    with other.locked(lambda: False):
        pass


def test_who_waited_sees_what_was_written_meanwhile(record: Record, tmp_path: Path) -> None:
    other = opened(tmp_path)
    assert other.manifest == Manifest()
    with record.locked():
        record.keep(FILE, "said", entry())
    with other.locked():
        other.keep("categories.json", "map", entry("map", key="0" * 64))
    assert set(on_disk(other).answers) == {FILE, "categories.json"}


# Finding


def test_nothing_is_found_in_an_empty_record(record: Record) -> None:
    assert record.find(FILE) is None
    assert record.manifest == Manifest()
    assert not record.folder.exists()


def test_what_another_process_wrote_is_its_models(record: Record, tmp_path: Path) -> None:
    assert record.manifest == Manifest()
    opened(tmp_path).keep(FILE, "said", entry())
    assert record.find(FILE) == Recorded(FILE, "said", entry())
    opened(tmp_path).keep(FILE, "later", entry("later"))
    assert record.find(FILE) == Recorded(FILE, "later", entry("later"))


def test_a_file_that_nobody_told_of_is_a_persons(record: Record) -> None:
    record.keep(FILE, "said", entry())
    (record.folder / "categories.json").write_text("mine")
    found = record.find("categories.json")
    assert found == Recorded("categories.json", "mine", Entry(origin="authored", digest=digest("mine")))


def test_what_a_person_changed_keeps_its_model(record: Record) -> None:
    record.keep(FILE, "said", entry(rejected=[rejected()]))
    (record.folder / FILE).write_text("changed")
    found = record.find(FILE)
    assert found
    assert (found.text, found.edited) == ("changed", True)
    assert found.entry == entry("changed", origin="authored", rejected=[rejected()])


def test_what_a_person_adopted_keeps_its_model(record: Record, tmp_path: Path) -> None:
    record.keep(FILE, "said", entry())
    (record.folder / FILE).write_text("changed")
    found = record.find(FILE)
    assert found
    adopted = authored(found, at="2026-02-03", pipeline="1.0")
    assert adopted == entry("changed", origin="authored", edited="2026-02-03")
    record.declare(FILE, adopted)
    again = opened(tmp_path).find(FILE)
    assert again == Recorded(FILE, "changed", adopted, edited=True)


def test_what_a_person_wrote_has_no_model(record: Record, tmp_path: Path) -> None:
    record.folder.mkdir(parents=True)
    (record.folder / "categories.json").write_text("mine")
    found = record.find("categories.json")
    assert found
    record.declare("categories.json", authored(found, at="2026-02-03", pipeline="1.0"))
    assert opened(tmp_path).find("categories.json") == Recorded(
        "categories.json", "mine", Entry(origin="authored", digest=digest("mine"), at="2026-02-03", pipeline="1.0")
    )
    (record.folder / "categories.json").write_text("mine, better")
    changed = record.find("categories.json")
    assert changed
    assert (changed.edited, changed.entry.origin, changed.entry.model) == (False, "authored", None)


def test_line_ends_of_a_checkout_are_no_edit(record: Record) -> None:
    record.keep(FILE, "a\nb\n", entry("a\nb\n"))
    (record.folder / FILE).write_bytes(b"a\r\nb\r\n")
    found = record.find(FILE)
    assert found
    assert (found.edited, found.entry) == (False, entry("a\nb\n"))
    assert digest("a\nb") == digest("a\r\nb") != digest("a\n\nb")


def test_what_an_editor_puts_before_a_text_is_none_of_it(record: Record) -> None:
    """Windows' editors mark UTF-8 so."""
    record.keep("categories.json", "a\nb\n", entry("a\nb\n"))
    for name in ("categories.json", "run.json"):
        path = record.folder / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    again = Record(record.name, record.folder, record.journal)
    found = again.find("categories.json")
    assert found
    assert (found.text, found.edited, found.entry) == ("a\nb\n", False, entry("a\nb\n"))


def test_a_file_that_is_no_text_is_told(record: Record) -> None:
    record.folder.mkdir(parents=True)
    (record.folder / "categories.json").write_bytes(b"{\n\xff\xfe")
    with pytest.raises(InputError, match=r"/words/categories\.json:2: expected UTF-8 \(got the byte 0xff\)"):
        record.find("categories.json")
    (record.folder / "error_catalog.json").mkdir()
    with pytest.raises(InputError, match=r"^topics/runs/words/error_catalog\.json:1: cannot be read \("):
        record.find("error_catalog.json")


# run.json


def test_the_manifest_is_laid_out_for_a_reviewer(record: Record) -> None:
    record.keep(FILE, "said", entry())
    record.annotate("Zählt 🙂")
    text = (record.folder / "run.json").read_text("utf-8")
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert "null" not in text
    assert on_disk(record).note == "Zählt 🙂"
    record.annotate(None)
    assert "note" not in json.loads((record.folder / "run.json").read_text("utf-8"))
    assert on_disk(record).answers == {FILE: entry()}


WHERE = "topics/runs/words/run.json:1: "


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", r"is no JSON: expected an object \(got nothing\)"),
        (b"{", r"is no JSON: expected more \(got the end of the text behind {\)"),
        (b"\xff", r"is no JSON: expected an object"),
        (b"<<<<<<< HEAD\n{}", r"expected no mark of a merge conflict \(got '<<<<<<< HEAD'\)"),
        (b"[]", r"expected keys and values \(got \[\]\)"),
        (b'{"answers": []}', r"answers: expected keys and values \(got \[\]\)"),
        (b'{"format": "one"}', r"format: expected a whole number \(got 'one'\)"),
        (b'{"surprise": 1}', r"surprise: is no key here; known are format, note, answers, discarded"),
        (b'{"answers": {"a.json": {"origin": "model"}}}', r"answers\.a\.json\.digest: is missing"),
        (b'{"answers": {"a.json": {"origin": "nobody", "digest": ""}}}', r"answers\.a\.json\.origin: "),
        (
            b'{"answers": {"a.json": {"origin": "model", "digest": "%s"}}}' % (b"0" * 64),
            r"answers\.a\.json: an answer of a model has a key",
        ),
        (b'{"discarded": [{"file": "a.json"}]}', r"discarded\.1\.model: is missing"),
        (b'{"format": 3}', r"was written by a newer version \(format 3\); install that one"),
        (
            b'{"format": 99, "answers": [], "surprise": 1}',
            r"was written by a newer version \(format 99\); install that one",
        ),
    ],
)
def test_a_corrupt_manifest_is_told(record: Record, content: bytes, fault: str) -> None:
    record.folder.mkdir(parents=True)
    (record.folder / "run.json").write_bytes(content)
    for look in (lambda: record.manifest, lambda: record.locked().__enter__()):
        with pytest.raises(InputError) as raised:
            look()
        told = raised.value.faults
        assert all(one.startswith(WHERE) for one in told)
        assert re.match(fault, told[0].removeprefix(WHERE))
    assert (record.folder / "run.json").read_bytes() == content


def test_a_manifest_that_cannot_be_read_is_told(record: Record) -> None:
    (record.folder / "run.json").mkdir(parents=True)
    with pytest.raises(InputError, match=r"run\.json:1: cannot be read \(Is a directory\)"):
        _ = record.manifest


def test_a_manifest_of_this_format_is_read(record: Record) -> None:
    record.folder.mkdir(parents=True)
    (record.folder / "run.json").write_text(json.dumps({"format": FORMAT}))
    assert record.manifest == Manifest()


@pytest.mark.parametrize("missing", ["key", "model", "seconds", "usage", "stop_reason", "at"])
def test_a_models_entry_is_whole(missing: str) -> None:
    assert entry()
    with pytest.raises(ValidationError, match="an answer of a model has a key, a model, a time"):
        entry(**{missing: None})
    assert entry(**{missing: None, "origin": "authored"})


@pytest.mark.parametrize(
    "at", ["2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T24:04:05Z", "now"]
)
def test_a_models_entry_has_a_time(at: str) -> None:
    with pytest.raises(ValidationError):
        entry(at=at)
