"""Fuzz what reads strangers' text: `python tests/fuzz/fuzz.py answers|records|topics [libFuzzer's options]`.

Needs atheris, which the tests do not. An input is one byte, which picks a step or a file, and the text that is read.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["errorspan"]):
    import answers
    import readers

from hostile import PAYLOADS

FOLDER = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
MANIFEST = {
    "format": 1,
    "note": "A note",
    "answers": {
        "categories.json": {
            "origin": "model", "digest": "0" * 64, "at": "2026-01-02T03:04:05Z", "key": "0" * 64, "model": "m",
            "served": "n", "seconds": 1.5, "usage": {"input_tokens": 1, "output_tokens": 2}, "stop_reason": "end_turn",
            "pipeline": "0.1", "rejected": [],
        },
    },
    "discarded": [
        {
            "file": "categories.json", "model": "m", "stop_reason": "end_turn", "usage": {"input_tokens": 1},
            "at": "2026-01-02T03:04:05Z", "seconds": 2, "faults": ["a fault"],
        }
    ],
}  # fmt: skip
NAMES = [*readers.FILES, "run.json"]
ODD: list[Any] = [
    None, True, 0, -1, 1, 10**30, 1e308, -0.5, [], {},
    "", " ", "\n", "python", "text", "A", "B", "F1", "1", "9", "\u202e", "x" * 5000,
    "2026-02-31T00:00:00Z", "2026-02-31", answers.CODE, "```", *(payload.text for payload in PAYLOADS),
]  # fmt: skip


def nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every part of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in inner for found in nodes(part, (*path, key)))]


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change bytes, or a part of the JSON that they hold."""
    chance = random.Random(seed)
    head, body = data[:1] or b"\0", data[1:]
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    paths = [path for path in nodes(value) if path]
    if not paths or chance.random() < 0.2:
        return head + bytes(atheris.Mutate(body or b"{", max_size - 1))
    change(value, paths, chance)
    return (head + json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace"))[:max_size]


def change(value: Any, paths: list[tuple[Any, ...]], chance: random.Random) -> None:
    """Change one part of a JSON value: another text, an odd value, another part, none, or one more."""
    *way, last = chance.choice(paths)
    parent = part(value, way)
    kind = chance.random()
    if kind < 0.3 and isinstance(parent[last], str):
        parent[last] = mutated(parent[last], 400)
    elif kind < 0.6:
        parent[last] = chance.choice(ODD)
    elif kind < 0.75:
        parent[last] = deepcopy(part(value, chance.choice(paths)))
    elif kind < 0.85:
        del parent[last]
    elif isinstance(parent, list):
        parent.append(deepcopy(parent[last]))
    else:
        parent[mutated(str(last), 40)] = parent[last]


def part(value: Any, path: Sequence[Any]) -> Any:
    """Return the part of a JSON value at a path."""
    return reduce(getitem, path, value)


def mutated(text: str, size: int) -> str:
    """Return the text with some bytes changed."""
    return bytes(atheris.Mutate(text.encode("utf-8", "replace") or b"x", size)).decode("utf-8", "replace")


def answers_target(data: bytes) -> None:
    step, _ = readers.PASSES[(data[:1] or b"\0")[0] % len(readers.PASSES)]
    readers.answer(step, data[1:].decode("utf-8", "replace"))


def records_target(data: bytes) -> None:
    readers.record(FOLDER, NAMES[(data[:1] or b"\0")[0] % len(NAMES)], data[1:])


def topics_target(data: bytes) -> None:
    readers.topic(FOLDER / "only", data[1:])


SEEDS = {
    "answers": [bytes([at]) + readers.FILES[name].encode() for at, name in enumerate(readers.FILES)],
    "records": [
        bytes([at]) + (readers.FILES.get(name) or json.dumps(MANIFEST)).encode() for at, name in enumerate(NAMES)
    ],
    "topics": [
        (
            b"\0title: Counting words\nlanguage: python\nlevel: beginner\nfocus: x\n"
            b"brief: |\n  a\n  b\nconcepts: [a, b]\nmodels: {weak: m}\nmax_attempts: 2\n"
        )
    ],
}
TARGETS = {"answers": answers_target, "records": records_target, "topics": topics_target}


def main() -> None:
    """Fuzz one reader."""
    name, corpus = sys.argv.pop(1), FOLDER / "corpus"
    corpus.mkdir()
    (FOLDER / "only").mkdir()
    readers.project(FOLDER)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    options = ["-max_len=20000", "-timeout=20", "-rss_limit_mb=2000", str(corpus)]
    given = {"custom_mutator": mutate} if name != "topics" else {}
    atheris.Setup([*sys.argv, *options], TARGETS[name], **given)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
