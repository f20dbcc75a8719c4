"""Play the seven steps for a topic: from the record where an answer is there, from a model where it may be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any

from pydantic import ValidationError

from errorspan.answers.shape import Output, faults_in
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Topic
from errorspan.models.batches import Batches
from errorspan.models.client import Client
from errorspan.models.hand import Hand
from errorspan.models.replies import judge, sent_back
from errorspan.record import outbox
from errorspan.record.manifest import Recorded, Rejected, answered, turned_down
from errorspan.record.record import Record
from errorspan.runs.answer import Answer
from errorspan.runs.attempt import Attempt, Feedback, sampled
from errorspan.runs.calls import paid
from errorspan.runs.progress import Listener, Progress
from errorspan.runs.run import Open, Run
from errorspan.steps import prompting
from errorspan.steps.prompting import MOST_REPAIRS, Request
from errorspan.steps.table import ASSESS, ATTEMPT, PREPARE, SOLVE, STEPS, Pass, Step, exceeded, passes
from errorspan.text.errors import AskError, Busy, DiskError, InputError, Refused

Correct = Callable[[Recorded, Any], Any]
"""Gives the assessment as it is shown for the one that is recorded."""


class _Missing(Exception):
    """An answer is not in the record, and no model may be asked."""

    def __init__(self, waiting: Open) -> None:
        super().__init__(f"next to be asked: {waiting.step.title.lower()}")
        self.waiting = waiting


class Pipeline:
    """Play one topic.

    Without a client nothing is asked; `recover` then takes replies into the record that were received before the last
    run was stopped. Only `steps` are asked; stale answers to them count as missing with `refresh`, a solver's always.
    """

    def __init__(  # noqa: PLR0913 - a run's whole circumstances
        self,
        topic: Topic,
        record: Record,
        settings: Settings,
        client: Client | Batches | Hand | None = None,
        *,
        steps: Sequence[Step] = STEPS,
        refresh: bool = False,
        recover: bool = False,
        listen: Listener = lambda _: None,
        correct: Correct = lambda _, output: output,
    ) -> None:
        self.topic = topic
        self.settings = settings
        self._record = record
        self._client = client
        self._steps = steps
        self._refresh = refresh
        self._recover = recover
        self._listen = listen
        self._correct = correct
        self._answers: list[Answer] = []
        self._attempts: list[Attempt] = []
        self._outputs: dict[str, Any] = {}
        self._open: list[Open] = []
        self._writes = False

    def run(self) -> Run:
        """Return the run, as far as it comes.

        Raises:
            InputError: a file of the record is corrupt.
        """
        problem = unsolved = None
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
                unsolved = self._have_solved()
        order = {one: place for place, one in enumerate(passes(range(1, self._max_attempts + 1)))}
        answers = sorted(self._answers, key=lambda answer: order[answer.asked])
        return Run(
            topic=self.topic,
            folder=self._record.name,
            outputs=self._outputs,
            attempts=tuple(self._attempts),
            answers=tuple(answer for answer in answers if answer.step in STEPS),
            solutions=tuple(answer for answer in answers if answer.step in SOLVE),
            note=self._record.manifest.note,
            discarded=tuple(self._record.manifest.discarded),
            problem=problem,
            unsolved=unsolved,
            open=tuple(self._open),
            sent=outbox.waits(self._record),
        )

    def _hold(self, held: ExitStack) -> bool:
        """Become the record's one writer, where there is something to write."""
        if not (self._client or (self._recover and self._record.pending)):
            return False
        try:
            held.enter_context(self._record.locked(lambda: bool(self._client and not self._client.stopped.is_set())))
        except Busy:
            return False
        return True

    def _play_all(self) -> None:
        feedback: list[Feedback] = []
        self._outputs = {"topic": self.topic, "feedback": feedback}
        self._play(PREPARE, [self._outputs], attempt=0)
        for attempt in range(1, self._max_attempts + 1):
            samples = [
                dict(self._outputs)
                for _ in range(sampled(attempt, self._record.has, self.settings.samples(self.topic)))
            ]
            self._attempts.append(tried := Attempt(attempt, samples))
            self._play(ATTEMPT, samples, attempt)
            judged = samples[tried.sample - 1]
            if judged["judgment"].achieved:
                self._outputs = judged
                self._play(ASSESS, [judged], attempt)
                return
            self._outputs["feedback"] = feedback = [
                *feedback,
                Feedback(attempt, judged["challenge"], judged["judgment"]),
            ]

    def _have_solved(self) -> str | None:
        """Take solvers' answers where they are there, or may be asked for; say why one that was asked for is not."""
        problem = None
        for step in (step for step in SOLVE if self._outputs.keys() >= set(step.reads)):
            try:
                self._at_once([partial(self._answer, Pass(step, 0, order), self._outputs) for order in step.passes])
            except _Missing:
                if any(answer.faults for answer in self._answers if answer.step in STEPS):
                    self._open.clear()  # an exercise whose own answers fail a check is not worth solving
            except AskError as error:
                problem = f"{self.topic.id}: {error}"
            counted = {answer.order: answer.output for answer in self._answers if answer.step is step and answer.counts}
            self._outputs[step.name] = step.settled(counted, self._outputs)
        return problem

    def _play(self, steps: Sequence[Step], samples: Sequence[dict[str, Any]], attempt: int) -> None:
        """Answer the steps as soon as what they read is there, those that are ready at once; some for each sample."""
        waiting = list(steps)
        while waiting:
            ready = [step for step in waiting if samples[0].keys() >= set(step.reads)]
            waiting = [step for step in waiting if step not in ready]
            if not ready:
                raise ValueError(f"{waiting[0].name} reads what no step gives before it")
            inside = attempt if steps is ATTEMPT else 0
            asked: list[tuple[Step, int]] = []
            for step, sample in ((one, n) for one in ready for n in range(len(samples) if one.sampled else 1)):
                if step.foregone and (known := step.foregone(samples[sample])):
                    samples[sample][step.name] = known
                else:
                    asked.append((step, sample))
            answered = self._at_once([
                partial(self._answer, Pass(step, inside, order, sample + 1), samples[sample])
                for step, sample in asked
                for order in step.passes
            ])  # fmt: skip
            for step, sample in asked:
                settled = step.settled({order: next(answered).output for order in step.passes}, samples[sample])
                for outputs in samples[sample : sample + 1] if step.sampled else samples:
                    outputs[step.gives(settled)] = settled

    def _at_once(self, jobs: Sequence[Callable[[], Answer]]) -> Iterator[Answer]:
        """Do the jobs side by side where models are asked; let all of them finish before one's failure counts.

        That a file is corrupt comes before that another one is missing.
        """
        if self._client and len(jobs) > 1:
            with ThreadPoolExecutor(len(jobs)) as pool:
                done = [pool.submit(job) for job in jobs]
        else:
            done = [_done(job) for job in jobs]
        self._answers += [job.result() for job in done if not job.exception()]
        failures = [error for job in done if (error := job.exception())]
        self._open += [error.waiting for error in failures if isinstance(error, _Missing)]
        for error in sorted(failures, key=lambda error: isinstance(error, AskError | _Missing)):  # these are the least
            raise error
        return iter([job.result() for job in done])

    def _answer(self, asked: Pass, outputs: Mapping[str, Any]) -> Answer:
        step = asked.step
        outputs = {**outputs, "order": asked.order}
        recorded = self._record.find(asked.file)
        make = partial(prompting.request, asked, outputs, self.settings.model(step.asks(asked.order), self.topic))
        if recorded:
            changed = recorded.entry.changed(lambda: make().key, partial(prompting.basis, step, outputs))
            if not (changed and (self._refresh or step in SOLVE) and step in self._steps):
                output = read(self._record, step, recorded)
                output = self._correct(recorded, output) if step in ASSESS else output
                findings = step.findings(output, outputs, recorded.entry.asked_in)
                return Answer(asked, recorded, output, changed, findings)
        if not self._writes:
            raise _Missing(Open(asked, make))
        try:
            return self._asked(asked, outputs, make())
        except DiskError:
            if self._client:
                self._client.stopped.set()  # what no disk takes need not be paid for
            raise

    def _asked(self, asked: Pass, outputs: Mapping[str, Any], request: Request) -> Answer:
        """Ask until an answer counts; each rejected reply goes back with its faults.

        So often as `max_repairs` says those that are paid for; those that somebody asked by hand as often as can be.
        """
        step, file = asked.step, asked.file
        rejected: list[Rejected] = []
        told = partial(Progress, self.topic.id, asked, request.model, free=request.free)
        while True:
            sent = outbox.sent(self._record, request)  # before the journal: its reply may come there meanwhile
            reply = self._record.received(request)
            if not reply:
                waiting = _Missing(Open(asked, partial(replace, request)))
                if not self._client or step not in self._steps or not self._client.takes(file, request):
                    raise waiting
                if self._client.defers(request, sent=sent):
                    outbox.send(self._record, request)
                    raise waiting
                with self._record.room(request) as receive:
                    reply = self._client.ask(request, step.output, lambda: self._listen(told()), receive)
            output, faults = judge(step, outputs, reply, request.max_tokens)
            self._listen(told(reply, tuple(faults)))
            if output is not None and not faults:
                break
            rejected.append(turned_down(file, request, reply, faults))
            ended = reply.by_hand or reply.stop_reason in {"end_turn", "max_tokens"}
            hopeless = not ended or exceeded(reply.text, request.max_tokens) or request.repairs == MOST_REPAIRS
            if hopeless or len(paid(rejected)) > self.settings.max_repairs:
                self._record.drop(rejected, request)
                where = f"{step.title.lower()}{f' of attempt {asked.attempt}' if asked.attempt else ''}"
                raise Refused(f"{where} ({reply.whom or request.model}): {'; '.join(faults)[:600]}")
            request = prompting.repaired(request, sent_back(step, reply), faults)
        text, basis = output.recorded(), prompting.basis(step, outputs)
        entry = answered(text, request, reply, rejected, basis=basis, pipeline=version("errorspan"))
        recorded = self._record.keep(file, text, entry)
        output = read(self._record, step, recorded)
        return Answer(asked, recorded, output, findings=step.findings(output, outputs))

    def _discard_abandoned(self) -> None:
        if self._client:
            for folder in self._record.own("").glob("attempt-*/"):
                if folder.is_dir() and folder.name not in {f"attempt-{attempt.number}" for attempt in self._attempts}:
                    self._record.discard(folder.name)

    @property
    def _max_attempts(self) -> int:
        return self.topic.max_attempts or self.settings.max_attempts


def read(record: Record, step: Step, recorded: Recorded) -> Output:
    """Return what a file of a record says.

    Raises:
        InputError: it is corrupt.
    """
    try:
        return step.read(recorded.text)
    except ValidationError as error:
        way_out = "mend it, or delete the file: then it is missing, and a run asks for it"
        file = f"{record.name}/{recorded.file}"
        raise InputError(faults_in(file, error, way_out, recorded.text, step.output)) from None


def _done(job: Callable[[], Answer]) -> Future[Answer]:
    future: Future[Answer] = Future()
    try:
        future.set_result(job())
    except (AskError, InputError, _Missing) as error:
        future.set_exception(error)
    return future
