"""Send requests together, as Message Batches: at half the price, and answered within a day."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from errorspan.answers.shape import Output
from errorspan.authoring.settings import Settings
from errorspan.models.client import Client, sent
from errorspan.record.outbox import FOLDER, Batch, Outbox
from errorspan.steps.prompting import CHAIN, Request
from errorspan.text.errors import AskError, InputError, Unreached, shown

MOST, MOST_BYTES = 100_000, 200_000_000
"""What one batch holds: requests, and bytes of them; the API takes 256 MB."""

PATIENCE = 24 * 3600
"""For how long a server that is out of reach is asked for a batch, in seconds: by then it has ended."""

_IN_DOUBT = "; whether a batch was made, the same command finds out"

_PASSING = {"api_error", "overloaded_error", "rate_limit_error", "timeout_error"}
"""Errors that say nothing against a request: the SDK, too, would send it again."""

Say = Callable[[str], None]


class Batches:
    """Stand where the client does, and leave requests to be sent together; those to a server of the site's own it asks.

    What a batch had no answer to is asked again by another process, not by this one.
    """

    def __init__(self, client: Client, settings: Settings, outbox: Outbox, say: Say) -> None:
        self.stopped, self.takes, self.ask = client.stopped, client.takes, client.ask
        self._client = client
        self._settings = settings
        self._outbox = outbox
        self._tell = say
        self._failed: dict[str, str] = {}
        self._tried: Counter[str] = Counter()
        self._sought: dict[str, float] = {}
        self._stuck: set[str] = set()
        self._in_reach()

    def defers(self, request: Request, *, sent: bool) -> bool:
        """Tell whether a request waits to be sent with others; `sent`: it is on its way with others already.

        Raises:
            AskError: it was sent, and will not be again; or no further one is.
        """
        if request.server:
            return self._client.defers(request, sent=sent)
        if not sent:
            if why := self._failed.get(request.name):
                raise AskError(why)
            self._client.count()
        return True

    def send(self, waiting: Mapping[str, tuple[Request, type[Output]]]) -> None:
        """Send requests that wait, each by the place of its reply.

        Raises:
            AskError: the server did not take them, or it is not known whether it did.
        """
        for part in _parts({place: sent(*asked) for place, asked in waiting.items()}):
            self._make(part)

    def take(self) -> set[str]:
        """Put the replies of batches that have ended where they belong; return the topics that can go on."""
        return set().union(*(self._taken(name, batch) for name, batch in list(self._outbox.batches.items())))

    def ended(self, topics: Collection[str]) -> set[str]:
        """Wait for a batch with requests of these topics; return those that can go on: none, where none is on its way.

        Raises:
            AskError: a batch cannot be asked for.
        """
        while True:
            if found := self.take().intersection(topics):
                return found
            going = (batch.topics for name, batch in self._outbox.batches.items() if name not in self._stuck)
            if self.stopped.is_set() or not set().union(*going).intersection(topics):
                return set()
            self.stopped.wait(self._settings.poll_seconds)

    def _say(self, line: str) -> None:
        self._tell(shown(line))

    @property
    def _api(self) -> Any:
        return self._client.connections.to(None).messages.batches

    def _make(self, part: Mapping[str, Any]) -> None:
        name = token_hex(8)
        ids = {_id(place, name, number): place for number, place in enumerate(part)}
        at, after = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), self._newest()
        batch = Batch(at=at, after=after, requests=ids)
        self._outbox.put(name, batch)
        try:
            with self._client.connections.told(None, _advice):
                made = self._api.create(requests=[{"custom_id": id_, "params": part[ids[id_]]} for id_ in ids])
        except Unreached as error:
            raise Unreached(f"{error}{_IN_DOUBT}") from None
        except AskError:
            self._forget(name, batch)
            raise
        if not isinstance(id_ := getattr(made, "id", None), str):
            raise Unreached(f"the server's reply is no batch{_IN_DOUBT}")
        self._outbox.put(name, batch.model_copy(update={"id": id_}))
        self._say(f"Batch {id_}: {batch} on the way, at half the price, for a day at the most.")

    def _newest(self) -> str | None:
        """Return the newest batch that the server has, once it is in reach."""
        while True:
            try:
                with self._client.connections.told(None, _advice):
                    newest = next((made.id for made in self._api.list(limit=1).data), None)
            except Unreached as error:
                self._out_of_reach(error)
                self.stopped.wait(self._settings.poll_seconds)
            else:
                self._in_reach()
                return newest

    def _taken(self, name: str, batch: Batch) -> set[str]:
        """Take the replies of a batch, if it has ended; return its topics then."""
        if name in self._stuck:
            return set()
        try:
            with self._client.connections.told(None, lambda status: _advice(status, name)):
                ended = self._found(name, batch) if batch.id is None else self._looked_at(name, batch)
        except Unreached as error:
            self._out_of_reach(error)
            return set()
        self._in_reach()
        return batch.topics if ended else set()

    def _looked_at(self, name: str, batch: Batch) -> bool:
        """Take a batch's replies, if they are there; tell whether nothing of it is on its way any more."""
        made = self._api.retrieve(batch.id)
        if made.processing_status != "ended":
            return False
        if made.archived_at or not made.results_url:
            why = f"the answer was in batch {batch.id}, whose results are not kept any more"
            return self._forget(name, batch, f"{why}; the same command asks again")
        left = dict(batch.requests)
        told: Counter[str] = Counter()
        for line in self._api.results(batch.id):
            if place := left.pop(line.custom_id, None):
                told[line.result.type] += 1
                self._take(name, batch, place, line.result)
        if left:
            raise Unreached(f"batch {batch.id} has no results of {len(left)} of its {len(batch.requests)} requests")
        if name not in self._stuck:
            self._outbox.close(name)
        counts = ", ".join(f"{count} {kind}" for kind, count in told.items())
        self._say(f"Batch {batch.id} has ended: {counts}.")
        return True

    def _take(self, name: str, batch: Batch, place: str, result: Any) -> None:
        request = place.partition("/")[2]
        try:
            match result.type:
                case "succeeded":
                    reply = self._client.reply(result.message, datetime.fromisoformat(batch.at))
                    self._outbox.deliver(place, reply)
                    return
                case "errored":
                    self._errored(request, result.error.error)
                case kind:
                    self._failed[request] = f"batch {batch.id} {kind} it; the same command asks again"
        except InputError as error:
            for fault in error.faults:
                self._say(fault)
            self._stuck.add(name)
            return
        except AskError as error:
            self._failed[request] = f"{error} (in batch {batch.id})"
        self._outbox.release(place)

    def _errored(self, request: str, error: Any) -> None:
        """Say why a request is not sent again; nothing, where the error is a passing one."""
        self._tried[request] += 1
        if error.type not in _PASSING or self._tried[request] > self._settings.max_retries:
            self._failed[request] = f"the server answered {error.type}: {self._client.connections.said(error.message)}"

    def _found(self, name: str, batch: Batch) -> bool:
        """Look for a batch whose making was not heard of; tell whether it was never made.

        The API lists batches without their requests, the newest first. So those that came since and hold as many are
        looked into once they have ended. One that is in none of them `poll_seconds` later was never made.
        """
        known, going = {other.id for other in self._outbox.batches.values()}, False
        for made in self._api.list(limit=100):
            if made.id == batch.after:
                break
            if made.id in known or sum(count for _, count in made.request_counts) != len(batch.requests):
                continue
            going = going or made.processing_status != "ended"
            if made.results_url and not made.archived_at and self._holds(made.id, batch):
                self._outbox.put(name, batch.model_copy(update={"id": made.id}))
                return False
        first = self._sought.setdefault(name, time.monotonic())
        if going or time.monotonic() < first + self._settings.poll_seconds:
            return False
        self._say(f"The batch of {batch.at} was never made; {batch} will be asked for again.")
        return self._forget(name, batch)

    def _holds(self, id_: str, batch: Batch) -> bool:
        results = self._api.results(id_)
        try:
            return any(line.custom_id in batch.requests for line, _ in zip(results, range(1), strict=False))
        finally:
            results.close()

    def _forget(self, name: str, batch: Batch, why: str | None = None) -> bool:
        """Give a batch up."""
        for place in batch.requests.values():
            self._outbox.release(place)
            if why:
                self._failed[place.partition("/")[2]] = why
        self._outbox.close(name)
        return True

    def _in_reach(self) -> None:
        self._reached, self._away = time.monotonic(), False

    def _out_of_reach(self, error: Unreached) -> None:
        """Say so, once; give up after a day of it."""
        if time.monotonic() > self._reached + PATIENCE:
            raise error
        if not self._away:
            self._away = True
            self._say(f"{error}; looked after again every {self._settings.poll_seconds:g} s")


def _parts(waiting: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield as much at a time as one batch holds."""
    part: dict[str, Any] = {}
    size = 0
    for place, params in waiting.items():
        length = len(json.dumps(params))
        if part and (len(part) == MOST or size + length > MOST_BYTES):
            yield part
            part, size = {}, 0
        part[place] = params
        size += length
    if part:
        yield part


def _id(place: str, name: str, number: int) -> str:
    """Return what a request is told by: the beginning of its key, and what no other batch has; at most 64 signs."""
    return f"{place.rpartition('.')[2][:CHAIN]}-{name}-{number}"


def _advice(status: int, name: str = "") -> str:
    """Say what to do where a server knows no batches, or not this one."""
    if status != 404:
        return ""
    if not name:
        return " (the server has no batches; without --batch it is asked singly)"
    return (
        " (a key of another workspace does not find it, nor one after it was deleted: without "
        f"{FOLDER}/{name}.json what it held is asked for again)"
    )
