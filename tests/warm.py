"""Run commands in forks of one process that has imported the SDK: that alone takes longer than most of them do.

What a fork shows less of than a process of its own: another order of sets, an import that is missing but that the SDK
has made, and what a command leaves running.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path


class Warm:
    """The process that is forked; it imports nothing of the project."""

    def __init__(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.address = f"{folder.name}/socket"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self.address)
            listening.listen()
            process = subprocess.Popen(
                [sys.executable, __file__, str(listening.fileno())],
                stdin=subprocess.PIPE,  # its end is the other's
                env={name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")},
                pass_fds=[listening.fileno()],
            )
        atexit.register(folder.cleanup)
        atexit.register(process.wait)
        atexit.register(process.kill)

    def run(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Do as `python -m` does with a module and its arguments.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was killed.
        """
        with (
            tempfile.TemporaryFile("w+") as asked,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as complaints,
            socket.socket(socket.AF_UNIX) as told,
        ):
            json.dump({"command": command, "cwd": str(cwd), "env": env}, asked)
            asked.seek(0)
            told.connect(self.address)
            socket.send_fds(told, [b"\n"], [file.fileno() for file in (asked, out, complaints)])
            told.settimeout(timeout)
            pid = None
            with told.makefile() as lines:
                try:
                    pid = int(lines.readline())
                    code = int(lines.readline())
                except TimeoutError:
                    if pid:
                        os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(command, timeout) from None
            for file in (out, complaints):
                file.seek(0)
            return subprocess.CompletedProcess(command, code, out.read(), complaints.read())


@functools.cache
def warm() -> Warm:
    """Return the one process of this session."""
    return Warm()


def _fork(listening: socket.socket) -> dict[str, object]:
    """Return, in a fork for each connection, what it asks for; its standard streams are the connection's."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    while True:
        if sys.stdin in select.select([listening, sys.stdin], [], [])[0]:
            sys.exit()
        told, _ = listening.accept()
        if os.fork() == 0:
            break
        told.close()
    listening.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(told, 1, 3)
    if child := os.fork():
        try:
            told.sendall(f"{child}\n".encode())
            _, status = os.waitpid(child, 0)
            told.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        except BrokenPipeError:  # nobody waits any more
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        os._exit(0)
    told.close()
    with os.fdopen(files[0]) as asked:
        wanted = json.load(asked)
    for stream, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files[1:]]):
        os.dup2(file, stream)
        os.close(file)
    return wanted


if __name__ == "__main__":
    import anthropic  # noqa: F401

    gc.freeze()  # or every fork copies what it looks through
    wanted = _fork(socket.socket(fileno=int(sys.argv[1])))
    os.environ.clear()
    os.environ.update(wanted["env"])
    os.chdir(wanted["cwd"])
    sys.path[0] = wanted["cwd"]
    sys.argv[:] = wanted["command"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
