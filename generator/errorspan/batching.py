"""Ask for what is missing of a course by batches: each holds what is due of all topics, the next one what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from errorspan.authoring.topics import Topic
from errorspan.course import Course
from errorspan.models.batches import Batches
from errorspan.models.client import Client
from errorspan.record import outbox
from errorspan.record.outbox import Outbox
from errorspan.runs.progress import BUSY, GOES_ON, Listener, Progress
from errorspan.runs.run import Open, Run
from errorspan.steps.prompting import Request


def ask(
    course: Course,
    topics: Sequence[Topic],
    client: Client,
    *,
    listen: Listener,
    say: Callable[[str], None],
    **how: Any,
) -> list[Run]:
    """Return the runs, with what models were asked for; batches that were sent before are taken up again.

    Ctrl-C stops at once: what is on its way goes on at the server, and is taken up the next time.
    """
    told: set[Progress] = set()

    def once(progress: Progress) -> None:
        """Tell what came once, though what was sent back is read again with each batch."""
        if progress.reply is None or progress not in told:
            told.add(progress)
            listen(progress)

    sending = Outbox(course.root, course.record_of)
    with sending.held(lambda: say(BUSY)):
        batches = Batches(client, course.settings, sending, say)
        runs: dict[str, Run] = {}
        try:
            for batch in sending.batches.values():
                say(f"On the way since {batch.at}: {batch}.")
            batches.take()
            going = topics
            while going:
                asked = course.ask(going, batches, listen=once, **how)
                runs |= {run.topic.id: run for run in asked}
                waiting = {
                    place: (run, one, request) for run in asked for place, one, request in _due(course, sending, run)
                }
                batches.send({place: (request, one.step.output) for place, (_, one, request) in waiting.items()})
                for run, one, request in waiting.values():
                    listen(Progress(run.topic.id, one.asked, request.model))
                ended = batches.ended([topic.id for topic in topics])
                going = [topic for topic in topics if topic.id in ended]
        except BaseException:
            if sending.batches:
                say(GOES_ON)
            raise
    return [runs[topic.id] for topic in topics]


def _due(course: Course, sending: Outbox, run: Run) -> Iterator[tuple[str, Open, Request]]:
    """Yield what a run left to be sent, by the place of its reply: what is marked as sent, and in no batch yet."""
    record = course.record_of(run.topic.id)
    known = {place for batch in sending.batches.values() for place in batch.requests.values()}
    for one in run.open:
        request = one.request()
        place = f"{run.topic.id}/{request.name}"
        if place not in known and outbox.sent(record, request):
            yield place, one, request
