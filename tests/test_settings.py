"""The `extra.generator` block of mkdocs.yml: every fault is told with its line."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from errorspan.authoring.prices import PRICES, Usage
from errorspan.authoring.settings import Settings, read_settings
from errorspan.authoring.tiers import KEY_VARIABLES, Model, Server, has_key
from errorspan.authoring.topics import TierModels, Topic
from errorspan.text.errors import InputError

BEFORE = """\
site_name: !ENV [NAME, A course]
markdown_extensions:
  - pymdownx.emoji:
      emoji_index: !!python/name:material.extensions.emoji.twemoji
shared: &shared {a: 1}
again: *shared
extra:
  generator_of_something_else: 1
"""
AFTER = """\
plugins: !!python/object/apply:os.getcwd []
"""
FIRST = BEFORE.count("\n") + 1
KNOWN = ", ".join(Settings.model_fields)
TOPIC = Topic(id="a", path="topics/a.yml", title="A")


class _Loader(yaml.SafeLoader):
    """Read mkdocs.yml whatever tags are in it, as MkDocs does."""


_Loader.add_multi_constructor("", lambda *_: None)


def setting(root: Path, generator: str, after: str = AFTER) -> Settings:
    """Read settings from a mkdocs.yml with this block, which starts on line FIRST."""
    config = root / "mkdocs.yml"
    config.write_text(BEFORE + generator + after, "utf-8")
    return read_settings(config, yaml.load(config.read_text("utf-8"), _Loader)["extra"])


@pytest.mark.parametrize(
    "generator", ["", "  generator:\n", "  generator: ~\n", "  generator: {}\n", "  generator: false\n"]
)
def test_a_site_need_not_set_anything(tmp_path: Path, generator: str) -> None:
    assert setting(tmp_path, generator) == Settings()


def test_what_is_set_is_kept(tmp_path: Path) -> None:
    settings = setting(
        tmp_path,
        """\
  generator:
    topics: content/topics
    models:
      mid: org/m-1.5
      judge:
        model: q
        base_url: https://models.example:8443/sub/
        key_env: Q_KEY
        max_tokens: 900
        effort: high
        thinking: {type: enabled, budget_tokens: 2048}
    named_models:
      small: {model: qwen, base_url: "http://127.0.0.1:8080"}
    publish: proved
    mode: exam
    exercises_folder: kurs/Übungen
    runs_folder: kurs/runs
    modules:
      - {title: First, level: beginner, topics: [b, a]}
      - title: "Then: 2"
        topics: [c]
        after: [First]
    shared_progress: course-1.x
    offline: true
    max_attempts: 5
    max_repairs: 0
    max_cost_usd: 0.30
    max_calls: 8
    max_retries: 0
    max_wait_seconds: 1.5
    timeout_seconds: 30
    poll_seconds: 5
    prices:
      org/m-1.5: {input: 0.1, output: 0.5, above: 1000, then: {input: 1, output: 5}}
""",
    )
    assert settings.topics == "content/topics"
    assert (settings.models.mid, settings.models.weak) == ("org/m-1.5", Settings().models.weak)
    judge = settings.model("judge", TOPIC)
    assert judge.server == Server("https://models.example:8443/sub", "Q_KEY")
    assert str(judge) == "q (max_tokens 900, effort high, thinking enabled (2,048 tokens))"
    assert settings.key_variables == (*KEY_VARIABLES, "Q_KEY")
    assert (settings.publish, settings.mode) == ("proved", "exam")
    assert (settings.exercises_folder, settings.runs_folder) == ("kurs/Übungen", "kurs/runs")
    assert [(module.title, module.level, module.topics, module.after) for module in settings.modules] == [
        ("First", "beginner", ["b", "a"], []),
        ("Then: 2", None, ["c"], ["First"]),
    ]
    assert settings.shared_progress == "course-1.x"
    assert (settings.offline, settings.max_attempts, settings.max_repairs) == (True, 5, 0)
    assert settings.max_cost_usd == Decimal("0.30")
    assert (settings.max_calls, settings.max_retries) == (8, 0)
    assert (settings.max_wait_seconds, settings.timeout_seconds) == (1.5, 30)
    assert settings.prices["org/m-1.5"].input == Decimal("0.1")
    assert settings.prices["org/m-1.5"].then
    assert set(settings.model_fields_set) == set(Settings.model_fields)


WRONG = {
    "a list": ("  generator: [a]\n", "0: : expected keys and values (got ['a'])"),
    "text": ("  generator: all\n", "0: : expected keys and values (got 'all')"),
    "an unknown key": ("  generator:\n    topic: t\n", f"1: .topic: is no key here; known are {KNOWN}"),
    "a list as folder": ("  generator:\n    topics: [t]\n", "1: .topics: expected text (got ['t'])"),
    "a number as folder": ("  generator:\n    topics: 5\n", "1: .topics: expected text (got 5); quotes make it text"),
    "an unknown tier": (
        "  generator:\n    models:\n      mid: m\n      strong: m\n",
        "3: .models.strong: is no key here; known are author, mid, weak, judge, first_solver, second_solver",
    ),
    "no model": ("  generator:\n    models:\n      mid:\n", "2: .models.mid: expected text (got nothing)"),
    "an odd model": (
        "  generator:\n    models: {mid: a b}\n",
        "1: .models.mid: expected a model's name of letters, digits and ._:/@-, without spaces (got 'a b')",
    ),
    "a tier in a list": ("  generator:\n    models:\n      mid: [a]\n", "2: .models.mid: expected text (got ['a'])"),
    "a tier without a model": (
        "  generator:\n    models:\n      mid: {effort: low}\n",
        "2: .models.mid.model: is missing",
    ),
    "a tier with an unknown key": (
        "  generator:\n    models:\n      mid:\n        model: m\n        api_key: sk-secret\n",
        f"4: .models.mid.api_key: is no key here; known are {', '.join(Model.model_fields)}",
    ),
    "an effort that is none": (
        "  generator:\n    models:\n      mid: {model: m, effort: max}\n",
        "2: .models.mid.effort: expected 'low', 'medium' or 'high' (got 'max')",
    ),
    "no tokens": (
        "  generator:\n    models:\n      mid: {model: m, max_tokens: 0}\n",
        "2: .models.mid.max_tokens: expected at least 1 (got 0)",
    ),
    "thinking without a budget": (
        "  generator:\n    models:\n      mid: {model: m, thinking: {type: enabled}}\n",
        "2: .models.mid.thinking: expected budget_tokens with type: enabled, and only there (got {'type': 'enabled'})",
    ),
    "thinking in a word": (
        "  generator:\n    models:\n      mid: {model: m, thinking: adaptive}\n",
        "2: .models.mid.thinking: expected keys and values (got 'adaptive')",
    ),
    "a key without a server": (
        "  generator:\n    models:\n      mid: {model: m, key_env: K}\n",
        "2: .models.mid: expected a base_url with key_env: a key belongs to a server",
    ),
    "a key in place of its variable": (
        "  generator:\n    models:\n      mid: {model: m, base_url: 'http://a', key_env: sk-secret}\n",
        "2: .models.mid.key_env: expected the name of an environment variable, not a key",
    ),
    "Anthropic's key for another server": (
        "  generator:\n    models:\n      mid: {model: m, base_url: 'http://a', key_env: ANTHROPIC_API_KEY}\n",
        "2: .models.mid.key_env: expected a variable of this server's own, not the one of Anthropic's key",
    ),
    "an address that is none": (
        "  generator:\n    named_models:\n      x: {model: m, base_url: 'localhost:8080'}\n",
        "2: .named_models.x.base_url: expected an address, such as http://127.0.0.1:8080",
    ),
    "an address with a password": (
        "  generator:\n    named_models:\n      x: {model: m, base_url: 'http://me:secret@a'}\n",
        "2: .named_models.x.base_url: expected an address without a user or a password; key_env names a key",
    ),
    "an address with the API's path": (
        "  generator:\n    named_models:\n      x: {model: m, base_url: 'http://a/v1/'}\n",
        "2: .named_models.x.base_url: expected an address without /v1/messages, which is added to it",
    ),
    "a named model that is a name": (
        "  generator:\n    named_models:\n      x: m\n",
        "2: .named_models.x: expected keys and values (got 'm')",
    ),
    "models in a list": ("  generator:\n    models: [a]\n", "1: .models: expected keys and values (got ['a'])"),
    "neither yes nor no": (
        "  generator:\n    offline: perhaps\n",
        "1: .offline: expected true or false (got 'perhaps')",
    ),
    "no attempt": (
        "  generator:\n    max_attempts: 0\n",
        "1: .max_attempts: expected at least 1 (got 0)",
    ),
    "half an attempt": (
        "  generator:\n    max_attempts: 2.5\n",
        "1: .max_attempts: expected a whole number (got 2.5)",
    ),
    "too many repairs": (
        "  generator:\n    max_repairs: 6\n",
        "1: .max_repairs: expected at most 5 (got 6)",
    ),
    "money in words": (
        "  generator:\n    max_cost_usd: ten\n",
        "1: .max_cost_usd: expected a number (got 'ten')",
    ),
    "money without end": (
        "  generator:\n    max_cost_usd: .inf\n",
        "1: .max_cost_usd: expected a finite number (got inf)",
    ),
    "money that is none": (
        "  generator:\n    max_cost_usd: .nan\n",
        "1: .max_cost_usd: expected a finite number (got nan)",
    ),
    "negative money": (
        "  generator:\n    max_cost_usd: -1\n",
        "1: .max_cost_usd: expected at least 0 (got -1)",
    ),
    "no calls": ("  generator:\n    max_calls: 0\n", "1: .max_calls: expected at least 1 (got 0)"),
    "retries without end": (
        "  generator:\n    max_retries: 11\n",
        "1: .max_retries: expected at most 10 (got 11)",
    ),
    "no wait": ("  generator:\n    max_wait_seconds: 0\n", "1: .max_wait_seconds: expected more than 0 (got 0)"),
    "a wait that is none": (
        "  generator:\n    max_wait_seconds: .nan\n",
        "1: .max_wait_seconds: expected at most 3,600 (got nan)",
    ),
    "a day of silence": (
        "  generator:\n    timeout_seconds: 86400\n",
        "1: .timeout_seconds: expected at most 3,600 (got 86400)",
    ),
    "prices in a list": ("  generator:\n    prices: [1]\n", "1: .prices: expected keys and values (got [1])"),
    "half a price": (
        "  generator:\n    prices:\n      m: {input: 1}\n",
        "2: .prices.m.output: is missing",
    ),
    "a price with an unknown key": (
        "  generator:\n    prices:\n      m:\n        input: 1\n        output: 1\n        thinking: 1\n",
        "5: .prices.m.thinking: is no key here",
    ),
    "a negative price": (
        "  generator:\n    prices:\n      m:\n        input: 1\n        output: -1\n",
        "4: .prices.m.output: expected at least 0 (got -1)",
    ),
    "modules as keys": (
        "  generator:\n    modules: {title: A}\n",
        "1: .modules: expected a list (got {'title': 'A'})",
    ),
    "a title as a module": (
        "  generator:\n    modules:\n      - A\n",
        "2: .modules.1: expected keys and values (got 'A')",
    ),
    "a module without a title": (
        "  generator:\n    modules:\n      - topics: [a]\n",
        "2: .modules.1.title: is missing",
    ),
    "a blank title": (
        "  generator:\n    modules:\n      - title: ' '\n        topics: [a]\n",
        "2: .modules.1.title: expected text that is not blank (got ' ')",
    ),
    "a title of two lines": (
        '  generator:\n    modules:\n      - title: "A\\nB"\n        topics: [a]\n',
        "2: .modules.1.title: expected one line of text (got 'A\\nB')",
    ),
    "a year as a title": (
        "  generator:\n    modules:\n      - {title: 2026, topics: [a]}\n",
        "2: .modules.1.title: expected text (got 2026); quotes make it text",
    ),
    "an unknown key of a module": (
        "  generator:\n    modules:\n      - {title: A, topics: [a],\n         before: [B]}\n",
        "3: .modules.1.before: is no key here; known are title, level, topics, after",
    ),
    "an unknown level": (
        "  generator:\n    modules:\n      - title: A\n        level: easy\n        topics: [a]\n",
        "3: .modules.1.level: expected 'beginner', 'intermediate' or 'advanced' (got 'easy')",
    ),
    "a module without topics": (
        "  generator:\n    modules:\n      - title: A\n        topics: []\n",
        "3: .modules.1.topics: expected at least 1 (got 0)",
    ),
    "a module of too many topics": (
        f"  generator:\n    modules:\n      - title: A\n        topics: {[f't{n}' for n in range(51)]}\n",
        "3: .modules.1.topics: expected at most 50 (got 51)",
    ),
    "one topic without a list": (
        "  generator:\n    modules:\n      - title: A\n        topics: a\n",
        "3: .modules.1.topics: expected a list (got 'a')",
    ),
    "a title twice": (
        "  generator:\n    modules:\n      - {title: A, topics: [a]}\n      - topics: [b]\n        title: A\n",
        "4: .modules.2.title: expected a title that no earlier module has (got 'A')",
    ),
    "a topic in two modules": (
        "  generator:\n    modules:\n      - {title: A, topics: [a]}\n      - title: B\n        topics: [b,\n a]\n",
        "5: .modules.2.topics.2: expected a topic that is not in 'A' already (got 'a')",
    ),
    "a topic twice in a module": (
        "  generator:\n    modules:\n      - title: A\n        topics: [a, b,\n          a]\n",
        "4: .modules.1.topics.3: expected a topic that is not in 'A' already (got 'a')",
    ),
    "after a later module": (
        "  generator:\n    modules:\n      - {title: A, topics: [a], after: [B]}\n      - {title: B, topics: [b]}\n",
        "2: .modules.1.after.1: expected the title of an earlier module (got 'B')",
    ),
    "after itself": (
        "  generator:\n    modules:\n      - title: A\n        topics: [a]\n        after: [A]\n",
        "4: .modules.1.after.1: expected the title of an earlier module (got 'A')",
    ),
    "after one module twice": (
        "  generator:\n    modules:\n    - {title: A, topics: [a]}\n    - {title: B, topics: [b],\n after: [A, A]}\n",
        "4: .modules.2.after.2: expected each module once (got 'A')",
    ),
    "a price in the second tier": (
        "  generator:\n    prices:\n      m: {input: 1, output: 1,\n      then:\n      {input: x, output: 1}}\n",
        "4: .prices.m.then.input: expected a number (got 'x')",
    ),
}


@pytest.mark.parametrize(("generator", "fault"), WRONG.values(), ids=WRONG)
def test_a_fault_is_a_line(tmp_path: Path, generator: str, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        setting(tmp_path, generator)
    offset, what = fault.split(": ", 1)
    assert raised.value.faults == (f"mkdocs.yml:{FIRST + int(offset)}: extra.generator{what}",)


NO_FOLDER = "expected a folder, such as course/exercises, of letters, digits, hyphens and underscores, each name "
NO_FOLDER += "beginning with a letter or a digit"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../out", "a/../b", "/a", "a/", "a//b", "C:a", "a\\b", ".a", "_a", "-a", "a b", "a?b"],
)
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as raised:
        setting(tmp_path, f"  generator:\n    exercises_folder: '{name}'\n")
    told = f"mkdocs.yml:{FIRST + 1}: extra.generator.exercises_folder: {NO_FOLDER} (got {name!r})"
    assert raised.value.faults == (told,)


@pytest.mark.parametrize(
    ("lines", "line", "other", "got"),
    [
        (("exercises_folder: a", "runs_folder: A"), 2, "exercises_folder (a)", "A"),
        (("exercises_folder: a/b", "runs_folder: a"), 2, "exercises_folder (a/b)", "a"),
        (("exercises_folder: runs/of",), 0, "exercises_folder (runs/of)", "runs"),
        (("runs_folder: exercises/runs",), 1, "exercises_folder (exercises)", "exercises/runs"),
        (("runs_folder: assets",), 1, "the folder of styles and scripts (assets/errorspan)", "assets"),
        (("runs_folder: Assets",), 1, "the folder of styles and scripts (assets/errorspan)", "Assets"),
    ],
)  # fmt: skip
def test_no_folder_lies_in_another(tmp_path: Path, lines: list[str], line: int, other: str, got: str) -> None:
    with pytest.raises(InputError) as raised:
        setting(tmp_path, "  generator:\n" + "".join(f"    {key}\n" for key in lines))
    told = f"expected a folder that neither is {other} nor holds it nor stands in it (got {got!r})"
    assert raised.value.faults == (f"mkdocs.yml:{FIRST + line}: extra.generator.runs_folder: {told}",)


def test_folders_may_begin_alike(tmp_path: Path) -> None:
    settings = setting(tmp_path, "  generator:\n    exercises_folder: a/b\n    runs_folder: a/bc\n")
    assert (settings.exercises_folder, settings.runs_folder) == ("a/b", "a/bc")


def test_all_faults_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        setting(tmp_path, "  generator:\n    max_calls: 0\n    topic: t\n    models: {mid: 5}\n")
    told = sorted(fault.split(": ")[:2] for fault in raised.value.faults)
    assert told == [
        [f"mkdocs.yml:{FIRST + 1}", "extra.generator.max_calls"],
        [f"mkdocs.yml:{FIRST + 2}", "extra.generator.topic"],
        [f"mkdocs.yml:{FIRST + 3}", "extra.generator.models.mid"],
    ]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "text",
    ["", "a: [", "a: &a [*a]\n", "\ud800", "a: " + "[" * 5000, 'a: "\\UFFFFFFFF"\n', None],
    ids=["empty", "no YAML", "a knot", "no UTF-8", "deep", "far character", "absent"],
)
def test_without_lines_the_fault_is_told_too(tmp_path: Path, text: str | None) -> None:
    """MkDocs may have the settings from elsewhere: from a parent file, or from another program's tags."""
    config = tmp_path / "mkdocs.yml"
    if text is not None:
        config.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError) as raised:
        read_settings(config, {"generator": {"max_calls": 0}})
    assert raised.value.faults == ("mkdocs.yml:1: extra.generator.max_calls: expected at least 1 (got 0)",)


KEYS = st.sampled_from([*Settings.model_fields, "x", "mid", "then"]) | st.text(max_size=3)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@given(VALUES)
def test_anything_is_settings_or_has_faults(values: Any) -> None:
    try:
        settings = read_settings(Path("absent.yml"), {"generator": values})
    except InputError as error:
        faults = error.faults
    else:
        assert 1 <= settings.max_calls <= 64
        return
    assert faults
    for fault in faults:
        assert re.fullmatch(r"absent\.yml:1: extra\.generator\S*.*: \S[^\r\n]*", fault), fault


def test_a_topic_may_have_a_model_of_its_own() -> None:
    settings = Settings()
    own = Topic(id="b", path="topics/b.yml", title="B", models=TierModels(weak="tiny"))
    assert settings.model("weak", TOPIC) == Model(model=str(settings.models.weak))
    assert settings.model("weak", own) == Model(model="tiny")
    assert settings.model("mid", own) == settings.model("mid", TOPIC)


def test_a_name_that_the_site_defines_goes_before_a_models() -> None:
    small = {"model": "qwen", "base_url": "http://127.0.0.1:8080", "effort": "low"}
    settings = Settings.model_validate({"models": {"mid": "small"}, "named_models": {"small": small}})
    own = Topic(id="b", path="topics/b.yml", title="B", models=TierModels(weak="small", judge="qwen"))
    assert settings.model("mid", TOPIC) == settings.model("weak", own) == Model.model_validate(small)
    assert settings.model("judge", own) == Model(model="qwen")


def test_the_judge_is_no_candidate() -> None:
    models = Settings().models
    assert models.judge not in {models.mid, models.weak}


def test_every_default_model_has_a_price() -> None:
    assert set(dict(Settings().models).values()) <= set(PRICES)
    assert all(Settings().price(model, Usage()) is not None for model in PRICES)


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, False),
        ({"ANTHROPIC_API_KEY": ""}, False),
        ({"ANTHROPIC_API_KEY": "sk"}, True),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, True),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1"}, False),
    ],
)
def test_a_key_is_looked_for(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], found: bool) -> None:  # noqa: FBT001
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_key(Model(model="m").server) is found


def test_a_server_of_ones_own_has_a_key_of_its_own_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk")
    monkeypatch.delenv("OTHER_KEY", raising=False)
    keyed = Model(model="m", base_url="http://127.0.0.1:8080", key_env="OTHER_KEY")
    assert not has_key(keyed.server)
    assert has_key(Model(model="m", base_url="http://127.0.0.1:8080").server)
    monkeypatch.setenv("OTHER_KEY", "k")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert has_key(keyed.server)


def test_every_setting_says_what_it_is_for() -> None:
    described = {name: field.description for name, field in Settings.model_fields.items()}
    assert all(described.values())
