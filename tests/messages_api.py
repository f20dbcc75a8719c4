"""A server that speaks the Messages API: the one fake, with the real SDK in front of it."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug import Request, Response

import answers
from errorspan.steps import table as steps

STEPS = {step.output.__name__: step.name for step in steps.STEPS + steps.SOLVE}
Body = dict[str, Any]
Scripted = "Response | Wire | Callable[[Body], Response]"


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
    body = {"type": "error", "error": {"type": "api_error", "message": said}}
    return Response(json.dumps(body), status, headers, content_type="application/json")


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


class MessagesAPI:
    """Answer each step as `answers` has it, unless something else is scripted.

    `calls` has the body of every request, in order, with its step under `"step"`. `fenced` answers as a server that
    ignores the schema. `latency` is in seconds. `lone`: the weak implementation makes one mistake.
    """

    def __init__(self, *, fenced: bool = False, latency: float = 0, lone: bool = False) -> None:
        self.fenced = fenced
        self.lone = lone
        self.latency = latency
        self.url = ""
        self.calls: list[Body] = []
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

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        body = request.get_json()
        schema = body.get("output_config", {}).get("format", {}).get("schema", {})
        step = STEPS.get(schema.get("title", ""), "") or self._solver(body)
        with self._lock:
            self.calls.append(call := {**body, "step": step, "headers": dict(request.headers)})
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
