"""Hand in what somebody asked a model by hand: it stands where the client does, and has one reply for one pass."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Event

from errorspan.answers.shape import Output
from errorspan.models.redaction import without_secrets
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import Request


class Hand:
    """Give one reply, once, for the pass whose answer becomes `file`.

    `secrets` are the variables whose values are taken out of it.
    """

    def __init__(self, file: str, reply: Reply, secrets: Collection[str]) -> None:
        self.stopped = Event()
        self._file = file
        self._reply: Reply | None = reply.model_copy(update={"text": without_secrets(reply.text, secrets)})

    @property
    def holds(self) -> bool:
        """Tell whether the reply is still in hand."""
        return self._reply is not None

    def takes(self, file: str, request: Request) -> bool:  # noqa: ARG002 - whoever had it
        """Tell whether the reply is for this file of the record, and is still in hand."""
        return self.holds and file == self._file

    def defers(self, request: Request, *, sent: bool) -> bool:  # noqa: ARG002 - nothing is paid for here
        """Tell whether a request waits to be sent with others."""
        return False

    def ask(
        self,
        request: Request,  # noqa: ARG002 - whoever asked by hand had it before
        output: type[Output],  # noqa: ARG002
        sending: Callable[[], None] = lambda: None,  # noqa: ARG002
        received: Callable[[Reply], None] = lambda _: None,
    ) -> Reply:
        """Return the reply, once it is on disk."""
        reply, self._reply = self._reply, None
        if reply is None:
            raise ValueError("the one reply was given already")
        received(reply)
        return reply
