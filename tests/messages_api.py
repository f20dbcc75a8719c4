"""A server that speaks the Messages API: the one fake, with the real SDK in front of it."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import answers
from errorspan.steps import table as steps

STEPS = {step.output.__name__: step.name for step in steps.STEPS + steps.SOLVE}
Body = dict[str, Any]
Scripted = "Response | Wire | str | Callable[[Body], Response]"


def message(text: str, model: str = "claude-test", stop_reason: str | None = "end_turn", **more: Any) -> Response:
    """Return a complete reply of the API."""
    reply = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "output_tokens": 100},
        **more,
    }
    return Response(json.dumps(reply), content_type="application/json")


def error(status: int, said: str = "scripted", **headers: str) -> Response:
    """Return an error of the API."""
    kind = {400: "invalid_request_error", 529: "overloaded_error"}.get(status, "api_error")
    body = {"type": "error", "error": {"type": kind, "message": said}}
    return Response(json.dumps(body), status, headers, content_type="application/json")


def _result(reply: Response) -> Body:
    """Return a reply as a batch's results have it."""
    body = json.loads(reply.get_data())
    return {"type": "succeeded", "message": body} if reply.status_code < 400 else {"type": "errored", "error": body}


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass(frozen=True)
class Wire:
    """Write bytes to the connection in place of a reply, and close it: with a reset where `reset` says so."""

    act: Callable[[socket.socket], object]
    reset: bool = False

    def on(self, connection: socket.socket) -> Response:
        """Return what makes the server do so."""

        def body() -> Iterator[bytes]:
            try:
                self.act(connection)
            finally:
                if self.reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                ended, other = socket.socketpair()
                with ended, other:  # the server goes on with this one, which is at its end
                    os.dup2(ended.fileno(), connection.fileno())
            yield from ()
            raise ConnectionAbortedError  # nothing else is sent

        return Response(body())


@dataclass
class Batch:
    """A Message Batch, as the server has it; its requests are answered when it ends."""

    id: str
    created: float
    requests: list[Body]
    calls: list[Body]
    status: str = "in_progress"
    polls: int = 0
    results: list[Body] = field(default_factory=list)
    archived: bool = False

    def told(self, url: str) -> Body:
        """Return it as the API tells it: without its requests."""
        ended = self.status == "ended"
        kinds = [result["result"]["type"] for result in self.results]
        counts = {kind: kinds.count(kind) for kind in ("succeeded", "errored", "canceled", "expired")}
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.status,
            "request_counts": {"processing": 0 if ended else len(self.requests), **counts},
            "created_at": _instant(self.created),
            "expires_at": _instant(self.created + 86_400),
            "ended_at": _instant(self.created + 60) if ended else None,
            "cancel_initiated_at": None,
            "archived_at": _instant(self.created + 29 * 86_400) if self.archived else None,
            "results_url": f"{url}/v1/messages/batches/{self.id}/results" if ended and not self.archived else None,
        }


class MessagesAPI:
    """Answer each step as `answers` has it, unless something else is scripted.

    `calls` has the body of every request, in order, with its step under `"step"`. `fenced` answers as a server that
    ignores the schema. `latency` is in seconds. `lone`: the weak implementation makes one mistake.

    `batches` are those that were made; one ends at the second look, or as `polls` and `holding` say. What is scripted
    for a step counts there too: an error is a request's that erred, and "expired" or "canceled" one that was. What is
    scripted for `create`, `retrieve`, `results` or `list` is answered in their place; a `Wire` for `create` after the
    batch was made.
    """

    def __init__(self, *, fenced: bool = False, latency: float = 0, lone: bool = False) -> None:
        self.fenced = fenced
        self.lone = lone
        self.latency = latency
        self.url = ""
        self.calls: list[Body] = []
        self.batches: dict[str, Batch] = {}
        self.polls = 1
        self.holding = False
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Scripted]] = defaultdict(list)

    def script(self, step: str, *replies: Scripted) -> None:
        """Answer the next calls of a step with these replies."""
        self._scripts[step] += replies

    def recover(self) -> None:
        """Forget what was scripted."""
        self._scripts.clear()

    @property
    def steps(self) -> list[str]:
        """Return the steps of all calls, in order."""
        return [call["step"] for call in self.calls]

    def on(self, server: HTTPServer) -> str:
        """Be what a server answers with; return its address."""
        server.expect_request("/v1/messages", method="POST").respond_with_handler(self)
        server.expect_request(re.compile("/v1/messages/batches(/.*)?")).respond_with_handler(self.of_batches)
        self.url = server.url_for("").rstrip("/")
        return self.url

    def of_batches(self, request: Request) -> Response:
        """Answer what is asked of batches."""
        _, _, rest = request.path.partition("/batches")
        id_, _, what = rest.strip("/").partition("/")
        verb = what or ("retrieve" if id_ else "create" if request.method == "POST" else "list")
        with self._lock:
            scripted = self._scripts[verb].pop(0) if self._scripts[verb] else None
        if callable(scripted) and not isinstance(scripted, Response | Wire):
            scripted = scripted({})
        if isinstance(scripted, Response):
            return scripted
        if id_ and id_ not in self.batches:
            return error(404, "no such batch")
        made = getattr(self, f"_{verb}")(request, self.batches.get(id_))
        return scripted.on(request.environ["werkzeug.socket"]) if isinstance(scripted, Wire) else made

    def _create(self, request: Request, _: None) -> Response:
        requests = request.get_json()["requests"]
        ids = [one["custom_id"] for one in requests]
        if len(set(ids)) < len(ids) or not all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", id_) for id_ in ids):
            return error(400, "custom_id")
        with self._lock:
            id_ = f"msgbatch_{len(self.batches) + 1:02}"
            calls = [self._call(one["params"], request) | {"batch": id_} for one in requests]
            self.batches[id_] = batch = Batch(id_, time.time(), requests, calls)
            self.calls += calls
        return Response(json.dumps(batch.told(self.url)), content_type="application/json")

    def _retrieve(self, _: Request, batch: Batch) -> Response:
        self._look(batch)
        return Response(json.dumps(batch.told(self.url)), content_type="application/json")

    def _look(self, batch: Batch) -> None:
        with self._lock:
            batch.polls += 1
            if batch.polls > self.polls and batch.status != "ended" and not self.holding:
                self.end(batch)

    def _results(self, _: Request, batch: Batch) -> Response:
        lines = "".join(f"{json.dumps(result)}\n" for result in batch.results)
        return Response(lines, content_type="application/x-jsonl")

    def _list(self, request: Request, _: None) -> Response:
        limit, after = int(request.args.get("limit", 20)), request.args.get("after_id")
        newest = list(self.batches.values())[::-1]
        for batch in newest:
            self._look(batch)
        rest = newest[[batch.id for batch in newest].index(after) + 1 :] if after else newest
        page = [batch.told(self.url) for batch in rest[:limit]]
        ids = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        body = {"data": page, "has_more": len(rest) > limit, **ids}
        return Response(json.dumps(body), content_type="application/json")

    def _cancel(self, _: Request, batch: Batch) -> Response:
        with self._lock:
            self.end(batch, "canceled")
        return Response(json.dumps(batch.told(self.url)), content_type="application/json")

    def end(self, batch: Batch, how: str | None = None) -> None:
        """Answer the requests of a batch, the last one first; or let all be canceled, or expired."""
        for one, call in list(zip(batch.requests, batch.calls, strict=True))[::-1]:
            scripted = how or (self._scripts[call["step"]].pop(0) if self._scripts[call["step"]] else None)
            if callable(scripted) and not isinstance(scripted, Response):
                scripted = scripted(call)
            result = {"type": scripted} if isinstance(scripted, str) else _result(scripted or self.reply(call))
            batch.results.append({"custom_id": one["custom_id"], "result": result})
        batch.status = "ended"

    def _call(self, body: Body, request: Request) -> Body:
        schema = body.get("output_config", {}).get("format", {}).get("schema", {})
        step = STEPS.get(schema.get("title", ""), "") or self._solver(body)
        return {**body, "step": step, "headers": dict(request.headers)}

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        call = self._call(request.get_json(), request)
        step = call["step"]
        with self._lock:
            self.calls.append(call)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            scripted = self._scripts[step].pop(0) if self._scripts[step] else None
        try:
            time.sleep(self.latency)
            if isinstance(scripted, Wire):
                return scripted.on(request.environ["werkzeug.socket"])
            if scripted is not None:
                return scripted(call) if callable(scripted) and not isinstance(scripted, Response) else scripted
            return self.reply(call)
        finally:
            with self._lock:
                self._at_once -= 1

    def reply(self, call: Body) -> Response:
        """Answer well."""
        return message(self._answer(call["step"], call), call["model"])

    def _solver(self, body: Body) -> str:
        return "mid_implementation" if "mid" in body["model"] or "5-5" in body["model"] else "weak_implementation"

    def _answer(self, step: str, body: Body) -> str:
        said = answers.LONE if self.lone else answers.GIVEN
        if step.endswith("implementation"):
            return str(said[step])
        prompt = body["messages"][0]["content"]
        mid_first = step == "judgment" and prompt.index("totals.get(word, 0)") < prompt.index("totals[word] = 1")
        better = "A" if mid_first else "B"
        text = json.dumps(answers.judgment(better, lone=self.lone) if step == "judgment" else said[step])
        return f"Here it is:\n```json\n{text}\n```\nAnything else?" if self.fenced else text
