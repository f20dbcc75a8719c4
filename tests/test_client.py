"""The one door to a model: the real SDK in front, a real server behind it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from werkzeug import Response

from errorspan.answers.outputs import Categories, Implementation, Output
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.models.client import Client
from errorspan.models.connection import deprecations
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import Request
from errorspan.text.errors import AskError
from messages_api import MessagesAPI, error, message

CATEGORIES = Request(
    step="categories",
    attempt=0,
    order="",
    model="author-model",
    system="You teach.",
    turns=(("user", "Map the topic."),),
    schema=Categories.model_json_schema(),
    max_tokens=6000,
)
SOLUTION = Request("mid_implementation", 1, "", "mid-model", "You write code.", (("user", "Solve it."),), None, 16_000)

OURS = r"127\.0\.0\.1 \(ANTHROPIC_BASE_URL\)"
RETRIES = 2
AT_ONCE = {"retry-after-ms": "1"}
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@pytest.fixture
def ask(messages_api: MessagesAPI, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reply]:
    """Return a function that asks the server, with a client of its own."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", messages_api.url)

    def asked(request: Request = SOLUTION, output: type[Output] = Implementation, **settings: float) -> Reply:
        return Client(Settings(**({"max_retries": RETRIES, "timeout_seconds": 20} | settings))).ask(request, output)

    return asked


def body(text: str) -> Response:
    """Return a reply of status 200 that holds anything."""
    return Response(text, headers=AT_ONCE, content_type="application/json")


def bare(**more: object) -> Response:
    """Return a message with some fields set otherwise; None takes a field away."""
    fields = json.loads(message("x").get_data()) | more
    return body(json.dumps({name: value for name, value in fields.items() if value is not None}))


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve connections by hand; give the address, and what was received."""
    received: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                received.append(connection.recv(1 << 20))
                answer(connection)

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", received
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        server.join()


# What is sent


@pytest.mark.heavy
def test_a_request_is_sent_as_it_is(ask: Callable[..., Reply], messages_api: MessagesAPI) -> None:
    turns = (("user", "Solve it."), ("assistant", "No."), ("user", "Mend it."))
    ask(Request("mid_implementation", 1, "", "mid-model", "You write code.", turns, None, 16_000))
    (sent,) = messages_api.calls
    del sent["step"], sent["headers"]
    assert sent == {
        "model": "mid-model",
        "system": "You write code.",
        "messages": [
            {"role": "user", "content": "Solve it."},
            {"role": "assistant", "content": "No."},
            {"role": "user", "content": "Mend it."},
        ],
        "max_tokens": 16_000,
    }


def test_a_schema_is_sent_in_the_dialect_of_the_api(ask: Callable[..., Reply], messages_api: MessagesAPI) -> None:
    ask(CATEGORIES, Categories)
    (sent,) = messages_api.calls
    assert set(sent) - {"step", "headers"} == {"model", "system", "messages", "max_tokens", "output_config"}
    told = sent["output_config"]["format"]
    assert (told["type"], told["schema"]["title"]) == ("json_schema", "Categories")
    assert told["schema"]["additionalProperties"] is False
    assert set(told["schema"]["required"]) == {"beginner", "intermediate", "advanced"}


def test_many_tokens_need_no_stream(ask: Callable[..., Reply]) -> None:
    long = Request("mid_implementation", 1, "", "mid-model", "", (("user", "x"),), None, 60_000)
    assert ask(long).text


@pytest.mark.usefixtures("ask")
def test_at_most_max_calls_are_in_flight(messages_api: MessagesAPI) -> None:
    messages_api.latency = 0.1
    client = Client(Settings(max_calls=2))
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: client.ask(SOLUTION, Implementation), range(6)))
    assert len(replies) == 6
    assert messages_api.most_at_once == 2


@pytest.mark.usefixtures("ask")
def test_a_stopped_client_sends_nothing(messages_api: MessagesAPI) -> None:
    client = Client(Settings())
    client.stopped.set()
    with pytest.raises(AskError, match="stopped before it was asked"):
        client.ask(SOLUTION, Implementation)
    assert not messages_api.calls


@pytest.mark.usefixtures("ask")
def test_a_stop_ends_the_retries(messages_api: MessagesAPI) -> None:
    client = Client(Settings(max_retries=5))

    def overloaded(_: object) -> Response:
        client.stopped.set()
        return error(529, **AT_ONCE)

    messages_api.script("mid_implementation", overloaded)
    with pytest.raises(AskError, match=r"^stopped before it was asked again$"):
        client.ask(SOLUTION, Implementation)
    assert len(messages_api.calls) == 1


# What comes back


def test_a_reply_keeps_what_the_record_needs(ask: Callable[..., Reply], messages_api: MessagesAPI) -> None:
    usage = {
        "input_tokens": 11, "output_tokens": 7, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 2},
    }  # fmt: skip
    messages_api.script("mid_implementation", message("Here.", "mid-model-20260101", usage=usage))
    before = datetime.now(UTC).replace(microsecond=0)
    reply = ask()
    assert (reply.text, reply.model, reply.stop_reason) == ("Here.", "mid-model-20260101", "end_turn")
    assert reply.usage == Usage(
        input_tokens=11,
        output_tokens=7,
        cache_creation_input_tokens=5,
        cache_read_input_tokens=3,
        thinking_tokens=2,
    )
    assert before <= datetime.fromisoformat(reply.asked_at) <= datetime.now(UTC)
    assert 0 < reply.seconds < 60


TEXT = {"type": "text", "text": "said"}
THINKING = {"type": "thinking", "thinking": "hm", "signature": "s"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([TEXT], "said"),
        ([THINKING, TEXT], "said"),
        ([TEXT, {"type": "text", "text": " more"}], "said more"),
        ([TEXT, THINKING, {"type": "a_block_of_tomorrow", "text": "no"}, {"type": "text", "text": "!"}], "said!"),
        ([THINKING], ""),
        ([], ""),
    ],
    ids=["one", "thinking first", "two", "unknown kind", "thinking only", "none"],
)
def test_only_text_blocks_are_text(
    ask: Callable[..., Reply], messages_api: MessagesAPI, content: list[object], text: str
) -> None:
    messages_api.script("mid_implementation", message("", content=content))
    assert ask().text == text


@pytest.mark.parametrize(
    ("stop_reason", "more", "detail"),
    [
        ("refusal", {"stop_details": {"type": "refusal", "category": "cyber", "explanation": "no"}}, "cyber"),
        ("refusal", {"stop_details": None}, None),
        ("max_tokens", {}, None),
        ("model_context_window_exceeded", {}, None),
        ("a_reason_of_tomorrow", {}, None),
        (None, {}, None),
    ],
)
def test_any_stop_reason_is_told_on(
    ask: Callable[..., Reply],
    messages_api: MessagesAPI,
    stop_reason: str | None,
    more: dict[str, object],
    detail: str | None,
) -> None:
    messages_api.script("mid_implementation", message("Half of", stop_reason=stop_reason, **more))
    reply = ask()
    assert (reply.text, reply.stop_reason, reply.stop_detail) == ("Half of", stop_reason, detail)
    assert reply.usage == Usage(input_tokens=1000, output_tokens=100)
    assert len(messages_api.calls) == 1


@pytest.mark.parametrize(
    ("sent", "text"),
    [("a\ud800b", "a\ufffdb"), ("\udc00", "\ufffd"), ("\ud83d\ude42", "🙂"), ("é\x00\u2028", "é\x00\u2028")],
)
def test_text_can_be_written_to_disk(
    ask: Callable[..., Reply], messages_api: MessagesAPI, sent: str, text: str
) -> None:
    messages_api.script("mid_implementation", message(sent))
    reply = ask()
    assert reply.text == text
    assert Reply.model_validate_json(reply.model_dump_json().encode()) == reply


NO_MESSAGE = "the server's reply is no message of the API"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(body("[]"), id="a list"),
        pytest.param(body('"text"'), id="a string"),
        pytest.param(body("null"), id="null"),
        pytest.param(body("7"), id="a number"),
        pytest.param(body("{}"), id="an empty object"),
        pytest.param(bare(content=None), id="no content"),
        pytest.param(
            body(json.dumps({"type": "message", "model": "m", "content": None, "usage": {}})), id="null content"
        ),
        pytest.param(bare(content="text"), id="content is text"),
        pytest.param(bare(content=[None]), id="a null block"),
        pytest.param(bare(content=[{"type": "text", "text": 5}]), id="a number as text"),
        pytest.param(bare(content=[{"type": "text"}]), id="a block without text"),
        pytest.param(bare(usage=None), id="no usage"),
        pytest.param(bare(usage={"input_tokens": "many"}), id="usage in words"),
        pytest.param(bare(model=None), id="no model"),
        pytest.param(bare(model=5), id="a number as model"),
        pytest.param(bare(stop_reason=5), id="a number as stop reason"),
        pytest.param(Response('{"a": 1}', content_type="text/plain"), id="JSON as plain text"),
    ],
)
def test_what_is_no_message_is_an_error_in_words(
    ask: Callable[..., Reply], messages_api: MessagesAPI, reply: Response
) -> None:
    messages_api.script("mid_implementation", reply)
    with pytest.raises(AskError, match=NO_MESSAGE) as raised:
        ask(max_retries=0)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Response("<html>", headers=AT_ONCE, content_type="text/html"), id="HTML"),
        pytest.param(body('{"type": "message", "content": ['), id="broken JSON"),
        pytest.param(body(""), id="nothing"),
        pytest.param(body("\xff"), id="other bytes"),
    ],
)
def test_a_reply_that_is_no_json_is_not_asked_for_again(
    ask: Callable[..., Reply], messages_api: MessagesAPI, reply: Response
) -> None:
    """It may have been paid for: a second one would be paid for too."""
    messages_api.script("mid_implementation", reply)
    with pytest.raises(
        AskError, match=r"^the server's reply is no JSON \(.*\); is ANTHROPIC_BASE_URL an API\?$"
    ) as raised:
        ask()
    assert len(str(raised.value)) < 400
    assert len(messages_api.calls) == 1


# What goes wrong


@pytest.mark.parametrize(
    ("status", "calls", "hint"),
    [
        (400, 1, ""),
        (401, 1, " (the key in ANTHROPIC_API_KEY is not accepted)"),
        (403, 1, " (the key may not use this model)"),
        (404, 1, " (the model, or the server's address in ANTHROPIC_BASE_URL, is not known)"),
        (408, 3, ""),
        (409, 3, ""),
        (413, 1, ""),
        (422, 1, ""),
        (429, 3, ""),
        (500, 3, ""),
        (502, 3, ""),
        (503, 3, ""),
        (504, 3, ""),
        (529, 3, ""),
    ],
)
def test_a_status_is_told_with_what_to_do(
    ask: Callable[..., Reply], messages_api: MessagesAPI, status: int, calls: int, hint: str
) -> None:
    messages_api.script("mid_implementation", *[error(status, "as the server has it", **AT_ONCE)] * 5)
    with pytest.raises(AskError) as raised:
        ask()
    tries = ", after 3 tries" if calls > 1 else ""
    assert str(raised.value) == f"the server answered {status}{tries}: as the server has it{hint}"
    assert len(messages_api.calls) == calls


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_what_passes_is_tried_again(ask: Callable[..., Reply], messages_api: MessagesAPI, status: int) -> None:
    messages_api.script("mid_implementation", error(status, **AT_ONCE), error(status, **AT_ONCE))
    assert ask().stop_reason == "end_turn"
    assert len(messages_api.calls) == 3


@pytest.mark.parametrize(
    "said", ["", "<html>Bad gateway</html>", "[]", '{"error": "text"}', '{"error": {"message": null}}', "x" * 100_000]
)
def test_an_error_page_of_a_proxy_is_told_too(ask: Callable[..., Reply], messages_api: MessagesAPI, said: str) -> None:
    messages_api.script("mid_implementation", Response(said, 400, content_type="application/json"))
    with pytest.raises(AskError, match=r"^the server answered 400: ") as raised:
        ask()
    assert len(str(raised.value)) < 400


def http_date(**ahead: float) -> str:
    """Return a time ahead as HTTP writes it."""
    return format_datetime(datetime.now(UTC) + timedelta(**ahead), usegmt=True)


@pytest.mark.parametrize("status", [429, 503, 529])
@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "86400"},
        {"Retry-After": "6e9"},
        {"Retry-After": "inf"},
        {"retry-after-ms": "86400000"},
        {"retry-after-ms": "junk", "Retry-After": "86400"},
        {"Retry-After": http_date(days=1)},
        {"Retry-After": http_date(days=1).replace("GMT", "-0000")},
        {"Retry-After": http_date(days=3).removesuffix(" GMT")},
    ],
    ids=[
        "seconds",
        "billions",
        "infinite",
        "milliseconds",
        "junk and seconds",
        "date",
        "date of -0000",
        "date, no zone",
    ],
)
def test_a_long_wait_is_refused(
    ask: Callable[..., Reply], messages_api: MessagesAPI, status: int, header: dict[str, str]
) -> None:
    messages_api.script("mid_implementation", error(status, **header))
    with pytest.raises(
        AskError, match=rf"answered {status} and asks to wait .* s; at most 60 s .*\(max_wait_seconds\)"
    ):
        ask(max_wait_seconds=60, max_retries=0)  # none, so that a fault here is no day of waiting


def test_a_long_wait_is_not_waited(ask: Callable[..., Reply], messages_api: MessagesAPI) -> None:
    messages_api.script("mid_implementation", error(429, **{"Retry-After": "1"}))
    with pytest.raises(AskError, match=r"asks to wait 1 s; at most 0\.5 s are waited for \(max_wait_seconds\)"):
        ask(max_wait_seconds=0.5)
    assert len(messages_api.calls) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "0.01"},
        {"retry-after-ms": "5"},
        {"Retry-After": "86400", "retry-after-ms": "5"},
    ],
)
def test_a_short_wait_is_waited(ask: Callable[..., Reply], messages_api: MessagesAPI, header: dict[str, str]) -> None:
    messages_api.script("mid_implementation", error(429, **header))
    assert ask().stop_reason == "end_turn"


@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "-86400"},
        {"Retry-After": "nan"},
        {"Retry-After": "Wed, 99 Foo"},
        {"Retry-After": http_date(days=-1)},
        {"Retry-After": "Mon, 01 Jan 99999 00:00:00 GMT"},
    ],
    ids=["negative", "no number", "no date", "past", "far year"],
)
def test_an_odd_wait_is_no_trouble(
    ask: Callable[..., Reply], messages_api: MessagesAPI, header: dict[str, str]
) -> None:
    messages_api.script("mid_implementation", error(429, "busy", **header))
    with pytest.raises(AskError, match="answered 429"):
        ask(max_retries=0)


def test_no_server(ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(AskError, match=rf"^no connection to {OURS}, after one try: .*refused"):
        ask(max_retries=0)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_dead_proxy_is_named(ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv(variable, f"http://ada:secret@127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "elsewhere.example")
    with pytest.raises(
        AskError, match=rf"^no connection to the proxy 127\.0\.0\.1:{port} \({variable}\), after one try: .*refused"
    ) as raised:
        ask(max_retries=0)
    assert "secret" not in str(raised.value)


def test_a_proxy_that_refuses_is_named(ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")

    with raw_server(refuse) as (address, _):
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        proxy = re.escape(address.removeprefix("http://"))
        with pytest.raises(AskError, match=rf"^the proxy {proxy} \(HTTP_PROXY\) answered 407, it wants a user"):
            ask(max_retries=0)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://api.example")
        wanted = (
            rf"^no connection to api\.example \(ANTHROPIC_BASE_URL\): the proxy {proxy} \(HTTPS_PROXY\) refuses it, "
        )
        with pytest.raises(AskError, match=wanted):
            ask(max_retries=0)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_named(
    ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch, variable: str, tmp_path: Path
) -> None:
    place = tmp_path / "none.pem"
    monkeypatch.setenv(variable, str(place))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://127.0.0.1:1")
    with pytest.raises(AskError, match=rf"{variable} names '{place}': |no connection to {OURS}") as raised:
        ask(max_retries=0)
    assert variable == "SSL_CERT_DIR" or "No such file" in str(raised.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}', "busy"),
        ('{"error": "model not loaded"}', "model not loaded"),
        ('{"detail": "Not here"}', "Not here"),
    ],
)
def test_an_error_in_a_200_is_told_in_the_servers_words(
    ask: Callable[..., Reply], messages_api: MessagesAPI, said: str, told: str
) -> None:
    messages_api.script("mid_implementation", Response(said, 200, content_type="application/json"))
    with pytest.raises(AskError, match=f"^the server answered 200, and an error within: {told}$"):
        ask()
    assert len(messages_api.calls) == 1


def test_a_connection_that_breaks_in_the_reply(ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{")

    with raw_server(cut) as (address, received):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
        with pytest.raises(AskError, match=rf"^no whole reply from {OURS}, after 2 tries: "):
            ask(max_retries=1)
    assert len(received) == 2


def test_a_silent_server(ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()
    with raw_server(lambda _: given_up.wait(10)) as (address, received):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
        with pytest.raises(AskError, match=r"^the server was silent for 0\.3 s \(timeout_seconds\); it is not asked"):
            ask(timeout_seconds=0.3)
        given_up.set()
    assert len(received) == 1


def test_a_server_that_does_not_pick_up(ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so nothing can have been paid for: it is tried again."""
    with socket.socket() as busy, ExitStack() as waiting:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for _ in range(4):  # until the queue is full
            caller = waiting.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(busy.getsockname())
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{busy.getsockname()[1]}")
        with pytest.raises(AskError, match=rf"^no connection to {OURS} within 0\.2 s, after 2 tries$"):
            ask(max_retries=1, timeout_seconds=0.2)


@pytest.mark.parametrize("address", ["http://[::1", "http://127.0.0.1:port", "http://a\x7fb"])
def test_an_address_that_no_client_takes(
    ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
    with pytest.raises(AskError, match=r"^the API's client does not start: ") as raised:
        ask()
    assert len(str(raised.value)) < 400


def test_no_key(ask: Callable[..., Reply], messages_api: MessagesAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(AskError):
        ask()
    assert not messages_api.calls


@pytest.mark.parametrize(
    ("address", "shown"),
    [("localhost:1", "localhost:1"), ("nonsense", "nonsense"), ("http://127.0.0.1:99999", "127.0.0.1")],
)
def test_an_address_that_is_none_is_shown(
    ask: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch, address: str, shown: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
    with pytest.raises(AskError, match=rf"^no connection to {shown} \(ANTHROPIC_BASE_URL\), after one try: "):
        ask(max_retries=0)


@pytest.mark.parametrize("key", ["canary\n", "sk\ncanary", "clé-canary", "canary "])
def test_a_key_that_is_none_is_not_repeated(
    ask: Callable[..., Reply], messages_api: MessagesAPI, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    with pytest.raises(AskError, match=r"the key in ANTHROPIC_API_KEY holds a line break") as raised:
        ask()
    assert "canary" not in str(raised.value)
    assert not messages_api.calls


# What it costs to import


@pytest.mark.parametrize("module", ["errorspan.models.client", "errorspan.site.mkdocs", "errorspan.commands.cli"])
def test_the_sdk_is_imported_by_asking_only(module: str) -> None:
    look = f"import sys, {module}; print('anthropic' in sys.modules, 'errorspan.models.client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_deprecated_models_are_told_with_their_tier() -> None:
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    model, day = next(iter(DEPRECATED_MODELS.items()))
    assert deprecations({"mid": model, "weak": "weak-model"}) == [f"mid: {model} is deprecated; its last day is {day}"]


def test_the_default_models_are_not_deprecated() -> None:
    assert deprecations(dict(Settings().models)) == []


def test_asking_a_deprecated_model_warns_nobody(ask: Callable[..., Reply]) -> None:
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    old = Request("mid_implementation", 1, "", next(iter(DEPRECATED_MODELS)), "", (("user", "x"),), None, 100)
    assert ask(old).stop_reason == "end_turn"  # a warning would be an error here
