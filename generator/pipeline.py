"""Play the seven steps for a topic: from the record where an answer is there, from a model where it may be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

from pydantic import ValidationError

from generator import outputs as shapes
from generator import prompting
from generator.client import Client
from generator.errors import AskError, Busy, DiskError, InputError, Refused
from generator.manifest import Entry, Recorded, Rejected, Reply, digest
from generator.prompting import Request
from generator.record import Record
from generator.runs import Answer, Attempt, Run
from generator.settings import Settings
from generator.steps import ASSESS, ATTEMPT, PREPARE, Step
from generator.topics import Topic
from generator.verdicts import Verdict

_UNUSABLE = {
    "refusal": "the model refused to answer",
    "model_context_window_exceeded": "the prompt and its answer are longer than the model's context",
    "None": "the reply does not say why it ends, so it may be cut",
}


class Feedback(NamedTuple):
    """What a failed attempt leaves to the next one."""

    attempt: int
    challenge: shapes.Challenge
    verdict: Verdict


@dataclass(frozen=True)
class Progress:
    """A call that was made: for whom it was, and what came back (None: it is on its way)."""

    topic: str
    step: Step
    attempt: int
    order: str
    model: str
    reply: Reply | None = None
    faults: tuple[str, ...] = ()


Listener = Callable[[Progress], None]


class _Missing(Exception):
    """An answer is not in the record, and no model may be asked."""


class Pipeline:
    """Play one topic.

    Without a client nothing is asked; `recover` then takes replies into the record that were received before the last
    run was stopped. With `refresh`, stale answers count as missing.
    """

    def __init__(  # noqa: PLR0913 - a run's whole circumstances
        self,
        topic: Topic,
        record: Record,
        settings: Settings,
        client: Client | None = None,
        *,
        refresh: bool = False,
        recover: bool = False,
        listen: Listener = lambda _: None,
    ) -> None:
        self.topic = topic
        self.settings = settings
        self._record = record
        self._client = client
        self._refresh = refresh
        self._recover = recover
        self._listen = listen
        self._answers: list[Answer] = []
        self._attempts: list[Attempt] = []
        self._outputs: dict[str, Any] = {}
        self._writes = False

    def run(self) -> Run:
        """Return the run, as far as it comes.

        Raises:
            InputError: a file of the record is corrupt.
        """
        problem = None
        with ExitStack() as held:
            self._writes = self._hold(held)
            try:
                self._play_all()
            except _Missing as missing:
                problem = str(missing)
            except AskError as error:
                problem = f"{self.topic.id}: {error}"
            else:
                self._discard_abandoned()
        order = {file: place for place, file in enumerate(self._files())}
        return Run(
            topic=self.topic,
            folder=self._record.name,
            outputs=self._outputs,
            attempts=tuple(self._attempts),
            answers=tuple(sorted(self._answers, key=lambda answer: order[answer.file])),
            note=self._record.manifest.note,
            discarded=tuple(self._record.manifest.discarded),
            problem=problem,
        )

    def _hold(self, held: ExitStack) -> bool:
        """Become the record's one writer, where there is something to write."""
        if not self._client and not (self._recover and self._record.pending):
            return False
        try:
            held.enter_context(self._record.locked(lambda: bool(self._client and not self._client.stopped.is_set())))
        except Busy:
            return False
        return True

    def _play_all(self) -> None:
        feedback: list[Feedback] = []
        self._outputs = {"topic": self.topic, "feedback": feedback}
        self._play(PREPARE, self._outputs, attempt=0)
        for attempt in range(1, self._max_attempts + 1):
            tried = dict(self._outputs)
            self._attempts.append(Attempt(attempt, tried))
            self._play(ATTEMPT, tried, attempt)
            if tried["judgment"].achieved:
                self._outputs = tried
                self._play(ASSESS, tried, attempt)
                return
            self._outputs["feedback"] = feedback = [*feedback, Feedback(attempt, tried["challenge"], tried["judgment"])]

    def _play(self, steps: Sequence[Step], outputs: dict[str, Any], attempt: int) -> None:
        """Answer the steps as soon as what they read is there, those that are ready at once."""
        waiting = list(steps)
        while waiting:
            ready = [step for step in waiting if outputs.keys() >= set(step.reads)]
            waiting = [step for step in waiting if step not in ready]
            if not ready:
                raise ValueError(f"{waiting[0].name} reads what no step gives before it")
            asked: list[tuple[Step, dict[str, Callable[[], Answer]]]] = []
            for step in ready:
                if step.foregone and (known := step.foregone(outputs)):
                    outputs[step.name] = known
                else:
                    asked.append(
                        (step, {order: partial(self._answer, step, outputs, attempt, order) for order in step.passes})
                    )
            answered = self._at_once([job for _, jobs in asked for job in jobs.values()])
            for step, jobs in asked:
                given = {order: next(answered).output for order in jobs}
                outputs[step.name] = step.settle(given, outputs) if step.settle else given[step.passes[0]]

    def _at_once(self, jobs: Sequence[Callable[[], Answer]]) -> Iterator[Answer]:
        """Do the jobs side by side where models are asked; let all of them finish before one's failure counts."""
        if self._client and len(jobs) > 1:
            with ThreadPoolExecutor(len(jobs)) as pool:
                done = [pool.submit(job) for job in jobs]
        else:
            done = [_done(job) for job in jobs]
        self._answers += [job.result() for job in done if not job.exception()]
        failures = [error for job in done if (error := job.exception())]
        for error in sorted(failures, key=lambda error: isinstance(error, AskError)):  # a model's fault is the least
            raise error
        return iter([job.result() for job in done])

    def _answer(self, step: Step, outputs: Mapping[str, Any], attempt: int, order: str) -> Answer:
        inside = attempt if step in ATTEMPT else 0
        file = step.file(inside, order)
        model = self.settings.model(step.tier, self.topic)
        request = prompting.request(step, outputs, attempt=inside, order=order, model=model)
        recorded = self._record.find(file)
        if recorded:
            stale = recorded.entry.origin == "model" and recorded.entry.key != request.key
            if not (stale and self._refresh):
                output = self._read(step, recorded)
                findings = {check: tuple(check(output, outputs)) for check in step.checks}
                return Answer(step, inside, order, recorded, output, stale, findings)
        if not self._writes:
            raise _Missing(f"next to be asked: {step.title.lower()}")
        try:
            return self._asked(step, outputs, inside, order, request)
        except DiskError:
            if self._client:
                self._client.stopped.set()  # what no disk takes need not be paid for
            raise

    def _asked(self, step: Step, outputs: Mapping[str, Any], attempt: int, order: str, request: Request) -> Answer:
        """Ask until an answer counts; each rejected reply goes back with its faults, `max_repairs` times at most."""
        file, key = step.file(attempt, order), request.key
        rejected: list[Rejected] = []
        told = partial(Progress, self.topic.id, step, attempt, order, request.model)
        while True:
            reply = self._record.received(request)
            if not reply:
                if not self._client:
                    raise _Missing(f"next to be asked: {step.title.lower()}")
                with self._record.room(request) as receive:
                    reply = self._client.ask(request, step.output, lambda: self._listen(told()), receive)
            output, faults = judge(step, outputs, reply)
            self._listen(told(reply, tuple(faults)))
            if output is not None and not faults:
                break
            rejected.append(
                Rejected(
                    file=file,
                    model=request.model,
                    stop_reason=reply.stop_reason,
                    usage=reply.usage,
                    at=reply.asked_at,
                    seconds=reply.seconds,
                    faults=faults,
                )
            )
            hopeless = reply.stop_reason not in {"end_turn", "max_tokens"} or step.exceeded(reply.text)
            if hopeless or len(rejected) > self.settings.max_repairs:
                self._record.drop(rejected, request)
                where = f"{step.title.lower()}{f' of attempt {attempt}' if attempt else ''}"
                raise Refused(f"{where} ({request.model}): {'; '.join(faults)[:600]}")
            request = prompting.repaired(request, reply.text, faults)
        text = output.recorded()
        entry = Entry(
            origin="model",
            digest=digest(text),
            at=reply.asked_at,
            key=key,
            model=request.model,
            served=reply.model if reply.model != request.model else None,
            seconds=reply.seconds,
            usage=reply.usage,
            stop_reason=reply.stop_reason,
            pipeline=version("errorspan"),
            rejected=rejected,
        )
        recorded = self._record.keep(file, text, entry)
        findings = dict.fromkeys(step.checks, ())
        return Answer(step, attempt, order, recorded, self._read(step, recorded), findings=findings)

    def _read(self, step: Step, recorded: Recorded) -> shapes.Output:
        try:
            return step.output.read(recorded.text)
        except ValidationError as error:
            way_out = "mend it, or delete the file: then it is missing, and a run asks for it"
            raise InputError(shapes.faults_in(f"{self._record.name}/{recorded.file}", error, way_out)) from None

    def _discard_abandoned(self) -> None:
        if self._client:
            for folder in self._record.folder.glob("attempt-*/"):
                if folder.is_dir() and folder.name not in {f"attempt-{attempt.number}" for attempt in self._attempts}:
                    self._record.discard(folder.name)

    def _files(self) -> Iterator[str]:
        for steps, attempts in ((PREPARE, [0]), (ATTEMPT, range(1, self._max_attempts + 1)), (ASSESS, [0])):
            for attempt in attempts:
                yield from (step.file(attempt, order) for step in steps for order in step.passes)

    @property
    def _max_attempts(self) -> int:
        return self.topic.max_attempts or self.settings.max_attempts


def judge(step: Step, outputs: Mapping[str, Any], reply: Reply) -> tuple[shapes.Output | None, list[str]]:
    """Read a reply: the output, where it has the step's shape, and what is wrong with it."""
    if step.exceeded(reply.text):
        return None, [f"{len(reply.text):,} characters are more than an answer of {step.max_tokens:,} tokens has"]
    if reply.stop_reason == "max_tokens":
        return None, [f"the answer was cut off at {step.max_tokens:,} tokens; a shorter one is needed"]
    if reply.stop_reason != "end_turn":
        detail = f" ({reply.stop_detail})" if reply.stop_detail else ""
        return None, [_UNUSABLE.get(str(reply.stop_reason), f"the model stopped with {reply.stop_reason!r}") + detail]
    if not reply.text.strip():
        return None, ["the answer is empty"]
    try:
        output = step.output.read(reply.text)
    except ValidationError as error:
        return None, prompting.complaints(shapes.faults(error))
    return output, prompting.complaints(fault for check in step.checks for fault in check(output, outputs))


def _done(job: Callable[[], Answer]) -> Future[Answer]:
    future: Future[Answer] = Future()
    try:
        future.set_result(job())
    except (AskError, InputError, _Missing) as error:
        future.set_exception(error)
    return future
