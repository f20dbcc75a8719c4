"""A key goes to its own server, and nowhere else: real servers, and the real SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from conftest import Project
from errorspan.answers.outputs import Implementation
from errorspan.authoring.settings import Settings
from errorspan.authoring.tiers import Model, Server
from errorspan.models.client import Client
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import Request
from errorspan.text.errors import AskError
from messages_api import MessagesAPI, error, message

ANTHROPICS, ANOTHERS, PROXYS, PROFILES = (
    "sk-anthropic-canary",
    "sk-another-canary",
    "sk-proxy-canary",
    "sk-profile-canary",
)
SECRETS = (ANTHROPICS, ANOTHERS, PROXYS, PROFILES)
Serve = Callable[[MessagesAPI], str]


@pytest.fixture
def _secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set every way in which the SDK finds a key by itself, and another server's."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", ANTHROPICS)
    monkeypatch.setenv("ANOTHER_KEY", ANOTHERS)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"x-proxy: {PROXYS}\nX-Api-Key: {PROXYS}\nUser-Agent: {PROXYS}")
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    (tmp_path / "configs").mkdir()
    (tmp_path / "credentials").mkdir()
    profile = {"authentication": {"type": "user_oauth"}, "workspace_id": PROFILES}
    (tmp_path / "configs/default.json").write_text(json.dumps(profile))
    credentials = tmp_path / "credentials/default.json"
    credentials.write_text(json.dumps({"access_token": PROFILES, "type": "oauth_token"}))
    credentials.chmod(0o600)


def asked(client: Client, server: Server | None, **more: Any) -> Reply:
    """Ask a server for a solution."""
    turns = (("user", "Solve it."),)
    request = Request("weak_implementation", 1, "", "weak-model", "", turns, None, 100, server=server, **more)
    return client.ask(request, Implementation)


def client(*models: Model, **settings: Any) -> Client:
    """Return a client whose settings name these models."""
    named = {f"m{n}": model for n, model in enumerate(models)}
    return Client(Settings(named_models=named, max_retries=0, **settings))


def seen(api: MessagesAPI) -> str:
    """Return all that came with the last request, whatever it is called."""
    return json.dumps(api.calls[-1])


@pytest.mark.usefixtures("_secrets")
@pytest.mark.parametrize("variable", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", None], ids=str)
def test_each_server_sees_its_own_key_and_no_other(
    messages_api: MessagesAPI, serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    """Whether the SDK would take Anthropic's key from a variable, or from a profile's file."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    if variable:
        monkeypatch.setenv(variable, ANTHROPICS)
    else:  # the SDK reads no profile where a header is a key already
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"x-proxy: {PROXYS}")
    keyed, keyless = MessagesAPI(), MessagesAPI()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", messages_api.url)
    servers = [Server(serve(keyed), "ANOTHER_KEY"), Server(serve(keyless))]
    asking = client(*(Model(model="m", base_url=url, key_env=key) for url, key in servers))
    for server in [*servers, None, *servers]:
        asked(asking, server)
    assert [len(api.calls) for api in (messages_api, keyed, keyless)] == [1, 2, 2]
    expected = ANTHROPICS if variable else PROFILES
    assert messages_api.calls[-1]["headers"]["Authorization"] == f"Bearer {expected}"
    assert [secret in seen(messages_api) for secret in (PROXYS, ANOTHERS)] == [True, False]
    assert keyed.calls[-1]["headers"]["Authorization"] == f"Bearer {ANOTHERS}"
    assert [secret for secret in SECRETS if secret in seen(keyed)] == [ANOTHERS]
    assert [secret for secret in SECRETS if secret in seen(keyless)] == []
    assert {name.lower() for name in keyless.calls[-1]["headers"]}.isdisjoint({"authorization", "x-api-key", "x-proxy"})


@pytest.mark.usefixtures("_secrets")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("own", [True, False], ids=["a server of one's own", "Anthropic's"])
def test_no_redirect_carries_anything_elsewhere(
    messages_api: MessagesAPI,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    own: bool,  # noqa: FBT001
) -> None:
    elsewhere = MessagesAPI()
    to = f"{serve(elsewhere)}/v1/messages"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", messages_api.url)
    server = Server(messages_api.url, "ANOTHER_KEY") if own else None
    messages_api.script("weak_implementation", Response("", status, {"location": to}))
    asking = client(Model(model="m", base_url=messages_api.url, key_env="ANOTHER_KEY"))
    setting = "base_url" if own else "ANTHROPIC_BASE_URL"
    with pytest.raises(
        AskError, match=rf"^the server answered {status}: it sends on to {to}, .* name it in {setting}$"
    ):
        asked(asking, server)
    assert len(messages_api.calls) == 1
    assert not elsewhere.calls


@pytest.mark.usefixtures("_secrets")
def test_a_key_that_a_server_repeats_is_told_nobody(messages_api: MessagesAPI) -> None:
    server = Server(messages_api.url, "ANOTHER_KEY")
    asking = client(Model(model="m", base_url=messages_api.url, key_env="ANOTHER_KEY"))
    messages_api.script("weak_implementation", message(f"Key {ANOTHERS}"), error(500, f"for {ANOTHERS}"))
    assert asked(asking, server).text == "Key [secret]"
    with pytest.raises(AskError, match=r"answered 500, after one try: for \[secret\]$"):
        asked(asking, server)


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("", "no key: ANOTHER_KEY is not set"),
        ("sk\ncanary", "the key in ANOTHER_KEY holds a line break or another character that no key has"),
    ],
)
def test_a_key_that_is_none_is_not_sent(
    messages_api: MessagesAPI, monkeypatch: pytest.MonkeyPatch, key: str, what: str
) -> None:
    monkeypatch.setenv("ANOTHER_KEY", key)
    with pytest.raises(AskError) as raised:
        asked(client(), Server(messages_api.url, "ANOTHER_KEY"))
    assert str(raised.value) == what
    assert not messages_api.calls


@pytest.mark.parametrize(
    ("key", "status", "hint"),
    [
        ("ANOTHER_KEY", 401, "the key in ANOTHER_KEY is not accepted"),
        (None, 401, "it wants a key: name the variable that holds it, key_env"),
        (None, 404, "the model, or the server's address in base_url, is not known"),
    ],
)
def test_what_a_server_refuses_names_the_setting(
    messages_api: MessagesAPI, monkeypatch: pytest.MonkeyPatch, key: str | None, status: int, hint: str
) -> None:
    monkeypatch.setenv("ANOTHER_KEY", ANOTHERS)
    messages_api.script("weak_implementation", error(status, "no"))
    with pytest.raises(AskError) as raised:
        asked(client(), Server(messages_api.url, key))
    assert str(raised.value) == f"the server answered {status}: no ({hint})"


# How a model is asked

HOW = Model.model_validate(
    {"model": "weak-model", "effort": "low", "thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 3000}
)


def site(project: Project, models: str) -> None:
    """Set the models of a project."""
    config = project.folder / "mkdocs.yml"
    lines = config.read_text("utf-8").splitlines(keepends=True)
    config.write_text("".join(f"    models: {models}\n" if "    models:" in line else line for line in lines), "utf-8")


def tiers(**own: dict[str, Any]) -> str:
    """Return the setting `models`, as JSON, with tiers of a server's own."""
    names = {tier: f"{tier.split('_')[0]}-model" for tier in ("author", "mid", "weak", "judge")}
    return json.dumps(names | own)


def test_a_tier_is_asked_as_its_mapping_says(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    how = HOW.model_dump(exclude_none=True)
    site(project, tiers(weak=how, judge={"model": "judge-model", "effort": "high"}))
    built = project.build()
    assert built.returncode == 0, built.stderr
    calls = {call["step"]: call for call in messages_api.calls}
    weak, mid, judge = (calls[step] for step in ("weak_implementation", "mid_implementation", "judgment"))
    assert (weak["thinking"], weak["output_config"], weak["max_tokens"]) == (how["thinking"], {"effort": "low"}, 3000)
    assert not {"thinking", "output_config"} & mid.keys()
    assert (judge["output_config"]["effort"], judge["output_config"]["format"]["type"]) == ("high", "json_schema")
    entries = json.loads((project.folder / "topics/runs/words/run.json").read_text())["answers"]
    assert entries["attempt-1/weak_implementation.md"]["options"] == {
        "effort": "low",
        "max_tokens": 3000,
        "thinking": {"budget_tokens": 2048, "type": "enabled"},
    }
    assert not {"options", "free"} & entries["attempt-1/mid_implementation.md"].keys()
    page = project.run_pages("words")
    assert "max_tokens 3,000, effort low, thinking enabled (2,048 tokens)" in page
    asked_before = len(messages_api.calls)
    site(project, tiers(judge={"model": "judge-model", "effort": "high"}))
    assert "stale" in project.errorspan("status", key=False).stdout
    assert len(messages_api.calls) == asked_before


def test_what_a_model_cannot_do_names_the_setting(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    site(project, tiers(weak=HOW.model_dump(exclude_none=True)))
    messages_api.script("weak_implementation", error(400, "thinking.type.enabled is not supported"))
    failed = project.errorspan("run")
    assert failed.returncode == 1
    told = "asked with max_tokens 3,000, effort low, thinking enabled (2,048 tokens); what weak-model cannot do"
    assert f"answered 400: thinking.type.enabled is not supported ({told}" in failed.stderr


@pytest.mark.heavy
def test_a_course_on_servers_of_its_own_needs_no_key_and_costs_nothing(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.environment = {}
    project.topic("words")
    own = {"base_url": messages_api.url}
    site(project, tiers(**{tier: {"model": f"{tier}-m", **own} for tier in ("author", "mid", "weak", "judge")}))
    told = project.errorspan("run", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "Worst case: $0.00" in told.stdout
    assert not messages_api.calls
    built = project.build("--strict")
    assert built.returncode == 0, built.stderr
    assert all("authorization" not in {name.lower() for name in call["headers"]} for call in messages_api.calls)
    assert "$0.00" in project.run_pages("words")
    assert "price not known" not in project.run_pages("words")
    calls = len(messages_api.calls)
    assert project.build(cold=True).returncode == 0
    assert len(messages_api.calls) == calls


def test_a_key_that_is_missing_is_asked_for_by_name(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    site(project, tiers(weak={"model": "w", "base_url": messages_api.url, "key_env": "ANOTHER_KEY"}))
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text("utf-8") + "      w: {input: 1, output: 1}\n", "utf-8")
    failed = project.errorspan("run")
    assert (failed.returncode, failed.stderr.strip()) == (1, "No key: set ANOTHER_KEY (for w).")
    project.environment = {}
    built = project.build()
    assert built.returncode == 0
    assert "awaits its first run" in built.stderr
    assert not messages_api.calls


def test_a_build_asks_for_the_topics_whose_keys_are_there(project: Project, messages_api: MessagesAPI) -> None:
    project.environment = {}
    own = {"base_url": messages_api.url}
    site(project, tiers(**{tier: {"model": f"{tier}-m", **own} for tier in ("author", "mid", "weak", "judge")}))
    project.topic("local")
    project.topic("remote", "title: T\nmodels: {judge: claude-opus-5-5}\n")
    built = project.build()
    assert built.returncode == 0, built.stderr
    assert "topics/remote.yml awaits its first run" in built.stderr
    assert (project.folder / "topics/runs/local/assessment.json").is_file()
    assert not (project.folder / "topics/runs/remote").exists()


def test_the_build_of_a_pull_request_asks_no_server(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    site(
        project,
        tiers(**{tier: {"model": "m", "base_url": messages_api.url} for tier in ("author", "mid", "weak", "judge")}),
    )
    project.environment = {"GITHUB_EVENT_NAME": "pull_request"}
    assert project.build().returncode == 0
    assert not messages_api.calls


@pytest.mark.heavy
def test_pages_say_that_a_first_draft_was_asked_for(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    site(project, tiers(weak="draft"))
    config = project.folder / "mkdocs.yml"
    named = "    named_models: {draft: {model: weak-model, first_draft: true}}\n"
    config.write_text(config.read_text("utf-8").replace("    max_retries", f"{named}    max_retries"), "utf-8")
    told = project.errorspan("run", "--dry-run", key=False)
    assert "weak-model (first_draft)" in told.stdout
    assert project.build().returncode == 0
    prompts = {call["step"]: call["messages"][0]["content"] for call in messages_api.calls}
    drafted = [step for step, prompt in prompts.items() if "first draft is wanted" in prompt]
    assert drafted == ["weak_implementation"]
    entries = json.loads((project.folder / "topics/runs/words/run.json").read_text())["answers"]
    asked_so = {file: entry["options"] for file, entry in entries.items() if "options" in entry}
    assert asked_so == {"attempt-1/weak_implementation.md": {"first_draft": True}}
    run = project.run_pages("words")
    assert "asked with first_draft" in run
    assert "The weak tier was asked for a first draft, without planning or revision" in run
    assert "first draft, as it was asked for" in project.page("exercises/words")
