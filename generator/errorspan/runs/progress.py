"""Tell how asking goes on: what was asked, what came back, tokens and money so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock

from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.record.manifest import Reply
from errorspan.steps.table import Pass
from errorspan.text.errors import shown

STOPPING = "Stopping: calls in flight are paid for, so they are waited for. Ctrl-C again gives them up."
KEPT = "What was answered is kept; the same command goes on from there."
STOPPED = f"Stopped. {KEPT}"
GOES_ON = "A batch goes on at the server: `errorspan run --batch` takes its answers, which are kept there for 29 days."
BUSY = "Another process sends batches of this course; this one goes on when that has ended."


@dataclass(frozen=True)
class Progress:
    """A call that was made: for whom it was, and what came back (None: it is on its way)."""

    topic: str
    asked: Pass
    model: str
    reply: Reply | None = None
    faults: tuple[str, ...] = ()
    free: bool = False


Listener = Callable[[Progress], None]


class Tally:
    """Add up calls of all threads, and say each in a line."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._lock = Lock()
        self.calls = 0
        self.usage = Usage()
        self.cost: Decimal | None = Decimal()

    def __call__(self, progress: Progress) -> None:
        """Take note of a call that was sent, or of its reply."""
        with self._lock:
            if (reply := progress.reply) and reply.usage:
                how = {"free": progress.free, "batch": bool(reply.batch)}
                price = self._settings.price(progress.model, reply.usage, **how)
                self.calls += 1
                self.usage += reply.usage
                self.cost = None if price is None or self.cost is None else self.cost + price
            self._say(shown(self._line(progress)))

    @property
    def total(self) -> str:
        """Say tokens and money so far."""
        return (
            f"{self.calls} {'call' if self.calls == 1 else 'calls'}, {self.usage.tokens:,} tokens, {money(self.cost)}"
        )

    def _line(self, progress: Progress) -> str:
        where = f"{progress.topic}: {name(progress)}"
        reply = progress.reply
        if reply is None:
            return f"{where}: asked"
        came = f"from {reply.who}, as reported"
        if reply.usage:
            took = "in a batch" if reply.seconds is None else f"in {reply.seconds:.1f} s"
            came = f"{reply.usage.tokens:,} tokens {took} from {reply.model}"
        if progress.faults:
            return f"{where}: not usable ({'; '.join(progress.faults)[:200]}), {came}; so far {self.total}"
        return f"{where}: answered, {came}; so far {self.total}"


def name(progress: Progress) -> str:
    """Name a call as a person follows it."""
    asked = progress.asked
    told = ", ".join(filter(None, [f"attempt {asked.attempt}" if asked.attempt else "", asked.title]))
    return asked.step.title + (f" ({told})" if told else "")


def money(cost: Decimal | None) -> str:
    """Write dollars as a person reads them; small sums keep their digits."""
    if cost is None:
        return "price not known"
    return f"${cost:.2f}" if cost >= 1 or not cost else f"${cost:.4f}"
