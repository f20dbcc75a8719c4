"""A server that speaks the Messages API: the one fake, with the real SDK in front of it."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import answers
from werkzeug import Request, Response

from generator import steps

STEPS = {step.output.__name__: step.name for step in steps.STEPS + steps.SOLVE}
Body = dict[str, Any]


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


class MessagesAPI:
    """Answer each step as `answers` has it, unless something else is scripted.

    `calls` has the body of every request, in order, with its step under `"step"`. `fenced` answers as a server that
    ignores the schema. `latency` is in seconds.
    """

    def __init__(self, *, fenced: bool = False, latency: float = 0) -> None:
        self.fenced = fenced
        self.latency = latency
        self.url = ""
        self.calls: list[Body] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Response | Callable[[Body], Response]]] = defaultdict(list)

    def script(self, step: str, *replies: Response | Callable[[Body], Response]) -> None:
        """Answer the next calls of a step with these replies."""
        self._scripts[step] += replies

    @property
    def steps(self) -> list[str]:
        """Return the steps of all calls, in order."""
        return [call["step"] for call in self.calls]

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        body = request.get_json() | {"headers": dict(request.headers)}
        schema = body.get("output_config", {}).get("format", {}).get("schema", {})
        step = STEPS.get(schema.get("title", ""), "") or self._solver(body)
        with self._lock:
            self.calls.append({**body, "step": step})
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            scripted = self._scripts[step].pop(0) if self._scripts[step] else None
        try:
            time.sleep(self.latency)
            if scripted is not None:
                return scripted(body) if callable(scripted) and not isinstance(scripted, Response) else scripted
            return self._reply(step, body)
        finally:
            with self._lock:
                self._at_once -= 1

    def _solver(self, body: Body) -> str:
        return "mid_implementation" if "mid" in body["model"] or "5-5" in body["model"] else "weak_implementation"

    def _reply(self, step: str, body: Body) -> Response:
        return message(self._answer(step, body), body["model"])

    def _answer(self, step: str, body: Body) -> str:
        if step.endswith("implementation"):
            return answers.MID if step.startswith("mid") else answers.WEAK
        prompt = body["messages"][0]["content"]
        mid_first = step == "judgment" and prompt.index("totals.get(word, 0)") < prompt.index("totals[word] = 1")
        given = answers.judgment("A" if mid_first else "B") if step == "judgment" else answers.GIVEN[step]
        text = json.dumps(given)
        return f"Here it is:\n```json\n{text}\n```\nAnything else?" if self.fenced else text
