"""Text that means harm, as data, and a course whose every field holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import yaml
from werkzeug import Response

import answers
from messages_api import Body, MessagesAPI, error, message

Kind = Literal["plain", "prose"]


class Payload(NamedTuple):
    """One text that means harm, and what a reader sees of it.

    `plain`: as a word or as code; None: every character of it. `prose`: where emphasis, code and entities count; None:
    the same as plain.
    """

    name: str
    text: str
    plain: str | None = None
    prose: str | None = None

    def shown(self, kind: Kind) -> str:
        """Return what a reader sees of it in a field of this kind."""
        plain = self.text if self.plain is None else self.plain
        return plain if kind == "plain" or self.prose is None else self.prose


TURNED = "a⟨U+202E⟩cba⟨U+202C⟩ ⟨U+2066⟩b⟨U+2069⟩ ⟨U+2067⟩c⟨U+2069⟩ ⟨U+202D⟩d⟨U+202C⟩"
PAYLOADS = (
    Payload("script", "<script>window.__xss=1</script>"),
    Payload("script end", "</script><script src=//evil.example/x.js></script>"),
    Payload("image", "<img src=x onerror=window.__xss=1>"),
    Payload("image of elsewhere", "<img src=https://evil.example/pixel.png>"),
    Payload("svg", "<svg/onload=window.__xss=1><animate onbegin=window.__xss=1>"),
    Payload("frame", "<iframe srcdoc='<script>parent.__xss=1</script>'>"),
    Payload("base", "<base href=https://evil.example/><meta http-equiv=refresh content=0;url=//evil.example>"),
    Payload("style", "<style>@import url(//evil.example/x.css);</style>"),
    Payload("out of title", "</title></textarea></style><script>window.__xss=1</script>"),
    Payload("out of attribute", "\"'><b onmouseover=window.__xss=1 autofocus onfocus=window.__xss=1>"),
    Payload("in attribute", "' onmouseover='window.__xss=1' \" onfocus=\"window.__xss=1\" x="),
    Payload("out of code", "</code></pre></div></div><script>window.__xss=1</script>"),
    Payload("comment", "<!-- --!><script>window.__xss=1</script><![CDATA[<b>]]>"),
    Payload(
        "entities",
        "&lt;script&gt;window.__xss=1&lt;/script&gt;&#60;b&#62;",
        prose="<script>window.__xss=1</script><b>",
    ),
    Payload("link", "[a](javascript:window.__xss=1)"),
    Payload("data link", "[a](data:text/html;base64,PHNjcmlwdD4=)"),
    Payload("image link", "![a](https://evil.example/pixel.png 'x')"),
    Payload("reference", "[a]: javascript:window.__xss=1 'x' [a] [a][]"),
    Payload("autolink", "<javascript:window.__xss=1> <https://evil.example/> https://evil.example/"),
    Payload("fences", "```html <b> ``` <i> ~~~ `</code>`", prose="html <b> <i> ~~~ </code>"),
    Payload("jinja", "{{ config.site_name }}{% include 'secret.txt' %}{{ 6000+7 }}{# x #}"),
    Payload("snippet", '--8<-- "secret.txt"'),
    Payload("snippet block", ";--8<-- secret.txt -8<- 'secret.txt' {! secret.txt !} {% raw %}"),
    Payload("attributes", "{: onclick=window.__xss=1 #main .x } {onclick=window.__xss=1}"),
    Payload("extensions", ':::python !!! note "x" ??? x === "tab" [TOC] [[wiki]] ^^a^^ ==a== ++ctrl++ :smile: $x$'),
    Payload("critic", "{++a++}{--b--}{~~a~>b~~}{==c==}{>>d<<} H~2~O x^2^ [^1]"),
    Payload("template", "${window.__xss=1} <%= 6000+7 %> #{6000+7} {{constructor.constructor('window.__xss=1')()}}"),
    Payload(
        "separators",
        "<script\u2028>window.__xss=1</script\u2029>",
        "<script⟨U+2028⟩>window.__xss=1</script⟨U+2029⟩>",
    ),
    Payload(
        "bidi",
        "a\u202ecba\u202c \u2066b\u2069 \u2067c\u2069 \u202dd\u202c \u200ee\u200f \u202af\u202b",
        f"{TURNED} ⟨U+200E⟩e⟨U+200F⟩ ⟨U+202A⟩f⟨U+202B⟩",
        f"{TURNED} \u200ee\u200f ⟨U+202A⟩f⟨U+202B⟩",
    ),
    Payload(
        "invisible",
        "a\u200bb\u2060c\ufeffd\u180ef\u3164g\U000e0061\U000e007fh\u034fi\U000e0101j\u206ak\u200dl",
        "a⟨U+200B⟩b⟨U+2060⟩c⟨U+FEFF⟩d⟨U+180E⟩f⟨U+3164⟩g⟨U+E0061⟩⟨U+E007F⟩h⟨U+034F⟩i⟨U+E0101⟩j⟨U+206A⟩k⟨U+200D⟩l",
    ),
    Payload("odd characters", "\uff1cscript\uff1ewindow.__xss=1\uff1c/script\uff1e \ufffd \U0001f469\u200d\U0001f4bb"),
)
HARMLESS = (Payload("harmless", "plain words"),)
COMMANDS = "\x1b[31m\x1b]0;owned\x07\r\n\x9b2J"  # to a terminal
REFUSED = re.compile("[\u2028\u2029]")  # by topic files


EXPLAINED = (
    "Every occurrence replaces what earlier ones left behind, so totals stay small however often somebody repeats it.",
    "Sorting alphabetically puts rare entries before frequent ones, which librarians notice in their weekly summary.",
)


@dataclass
class Case:
    """A topic and the seven answers to it, with payloads in every field of text. `fields`: by marker, what it is.

    The challenge has the `others`: what stands in the catalog too would hint at it.
    """

    id: str
    payloads: Sequence[Payload]
    others: Sequence[Payload]
    fields: dict[str, Kind] = field(default_factory=dict)

    def text(self, marker: str, kind: Kind, join: str = "\n\n") -> str:
        """Return a field's text: a word to find it by, and each payload at the start of a line."""
        self.fields[marker] = kind
        return join.join([marker, *(payload.text for payload in self._those(marker))])

    def shown(self, marker: str, kind: Kind) -> str:
        """Return what a reader sees of a field."""
        return " ".join([marker, *(payload.shown(kind) for payload in self._those(marker))])

    def _those(self, marker: str) -> Sequence[Payload]:
        if marker.startswith(f"{self.id}promise"):  # a short line each: whatever begins a block is text there
            return [self.payloads[int(marker[-1]) % len(self.payloads)]]
        return self.others if marker.startswith(f"{self.id}challenge") else self.payloads

    @property
    def topic(self) -> str:
        """Return the topic file."""
        texts = [REFUSED.sub("", payload.text) for payload in self.payloads]
        return yaml.safe_dump(
            {
                "title": f"{self.id} {texts[0]}",
                "language": "python",
                "level": "intermediate",
                "focus": " ".join(texts)[:300],
                "brief": "\n\n".join(texts),
                "concepts": texts[:8],
            }
        )

    def answer(self, step: str, order: str = "") -> str:
        """Return the answer to a step."""
        if step.endswith("implementation"):
            return self._implementation(step)
        return json.dumps(getattr(self, f"_{step}")(order) if order else getattr(self, f"_{step}")())

    def _prose(self, marker: str) -> str:
        return self.text(f"{self.id}{marker}", "prose")

    def _plain(self, marker: str) -> str:
        return self.text(f"{self.id}{marker}", "plain")

    def _line(self, marker: str) -> str:
        return self.text(f"{self.id}{marker}", "plain", join=" ")

    def _lines(self) -> list[str]:
        """Return the weak tier's lines with an error each."""
        return [
            f"        totals[word] = 1  # {self._line('code1')}",
            f"    return sorted(totals)[:n]  # {self._line('code2')}",
        ]

    def _code(self) -> str:
        one, two = self._lines()
        count = f"def count(words):\n    totals = {{}}\n    for word in words:\n{one}\n    return totals\n"
        mean = "def mean(values):\n    return sum(values) / len(values)\n"
        return f"{count}\n\ndef top(totals, n):\n{two}\n\n\n{mean}"

    def _implementation(self, step: str) -> str:
        code = answers.MID.split("```python\n")[1].partition("```")[0] if step.startswith("mid") else self._code()
        info = "" if any("`" in payload.text for payload in self.payloads) else self.payloads[0].text
        mid = f"# {self._line('mid')}\n" if step.startswith("mid") else ""
        before, after = (self._prose(step[:3] + place) for place in ("before", "after"))
        return f"{before}\n\n``````python {info}\n{mid}{code}``````\n\n{after}\n"

    def _categories(self) -> dict[str, Any]:
        return {level: [self._prose(f"{level}{n}") for n in range(3)] for level in answers.CATEGORIES}

    def _patterns(self) -> list[str]:
        return [self._plain(f"pattern{n}") for n in range(4)]

    def _error_catalog(self) -> dict[str, Any]:
        return {
            "patterns": [
                answers.CATALOG["patterns"][n]
                | {"name": name, "why_wrong": self._prose(f"why{n}"), "impact": self._prose(f"impact{n}")}
                for n, name in enumerate(self._patterns())
            ]
        }

    def _challenge(self) -> dict[str, Any]:
        names = ("title", "question_text", "context", "success_criteria")
        return {name: self._prose(f"challenge{name}") for name in names} | {
            "requirements": [self._prose(f"challengerequirement{n}") for n in range(4)],
            "language": "python",
        }

    def _judgment(self, better: str) -> dict[str, Any]:
        judged = answers.judgment(better)
        patterns, lines = self._patterns(), self._lines()
        seen = {"pattern": patterns[0], "description": self._prose("strength"), "quote": self._line("mid")}
        failures = [
            {
                "pattern": patterns[n],
                "description": self._prose(f"failure{n}"),
                "quote": lines[n].strip(),
                "severity": "high",
                "settled_by": "craft",
                "settles": self._line(f"settles{n}"),
                "local": True,
            }
            for n in (0, 1)
        ]
        return judged | {
            "analysis": [self._prose("analysis0"), self._prose("analysis1")],
            "strengths": [seen, seen | {"quote": self._plain("nowhere")}],
            "failures": failures,
            "keep": self._line("keep"),
            "rubric": {name: {"score": 3, "reason": self._prose(f"rubric{name}")} for name in judged["rubric"]},
        }

    def _assessment(self) -> dict[str, Any]:
        texts = ("description", "hint", "learning_value")
        fixes = ["totals[word] = totals.get(word, 0) + 1", "return sorted(totals, key=totals.get)[-n:]"]
        return {
            "no_exercise": "",
            "title": self._plain("title"),
            "learning_objective": self._prose("objective"),
            "scenario": self._prose("scenario"),
            "promises": [self._line(f"promise{n}") for n in range(max(3, len(self.payloads)))],
            "not_shown": self._line("notshown"),
            "language": "python",
            "code": self._code(),
            "errors": [
                {
                    "id": str(n + 1),
                    "quote": line.strip(),
                    "line": self._code().split("\n").index(line) + 1,
                    "failure": f"F{n + 1}",
                    "correction": f"{fixes[n]}  # {self._line(f'correction{n}')}",
                    "severity": "high",
                    "concept": self._plain(f"concept{n}"),
                }
                | {name: f"{self._prose(f'{name}{n}')}\n\n{EXPLAINED[n]}" for name in texts}
                for n, line in enumerate(self._lines())
            ],
            "sound": [{"quote": "    totals = {}", "line": 2, "reason": self._prose("sound")}],
            "estimated_minutes": [5, 10],
        }


def cases(payloads: Sequence[Payload], at_once: int = 4) -> Iterator[Case]:
    """Yield cases that hold all payloads between them."""
    for start in range(0, len(payloads), at_once):
        others = payloads[start + at_once : start + 2 * at_once] or payloads[:at_once]
        yield Case(f"case{start // at_once:02}", payloads[start : start + at_once], others)


def titles(payloads: Sequence[Payload]) -> list[tuple[str, list[Payload]]]:
    """Return titles that hold all payloads between them, as many in each as it may have, for topics without a case."""
    packed: list[tuple[str, list[Payload]]] = []
    for payload in payloads:
        text = REFUSED.sub("", payload.text)
        if packed and len(packed[-1][0]) + len(text) < 118:
            packed[-1] = (f"{packed[-1][0]} {text}", [*packed[-1][1], payload])
        else:
            packed.append((f"title{len(packed):02} {text}", [payload]))
    return packed


class HostileAPI(MessagesAPI):
    """Answer each topic with its case; the name of the model that served it means harm too.

    The first challenge of a topic is one whose language is a payload, so that its rejection is told. Topics that are no
    case are refused, with a payload as the reason, or are answered with an error.
    """

    def __init__(self, known: Sequence[Case]) -> None:
        super().__init__()
        self._known = {case.id: case for case in known}
        self._set: set[str] = set()

    def reply(self, call: Body) -> Response:
        """Answer with the case that the prompt is about."""
        step, prompt = call["step"], call["messages"][0]["content"]
        if refused := re.search(r"title(\d\d) (.*)", prompt):
            if int(refused[1]) % 2:
                return error(400, f"{COMMANDS}{refused[2]}")
            details = {"type": "refusal", "category": f"{COMMANDS}{refused[2]}", "explanation": None}
            return message("", stop_reason="refusal", stop_details=details)
        found = re.search(r"case\d\d", prompt)
        assert found
        case = self._known[found[0]]
        if step == "judgment":
            mid_first = prompt.index("totals.get(word, 0)") < prompt.index("totals[word] = 1  # ")
            text = case.answer(step, "A" if mid_first else "B")
        else:
            text = case.answer(step)
        if step == "challenge" and case.id not in self._set:
            self._set.add(case.id)
            text = json.dumps(json.loads(text) | {"language": "rejected " + case.payloads[0].text})
        return message(text, f"served {case.payloads[0].text}")
