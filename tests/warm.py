"""Run commands in forks of a process that has imported what they do, and keep templates compiled between them.

Both take longer than most of them do.

What a fork shows less of than a process of its own: another order of sets, an import that is missing but that another
module has made, what waits for the interpreter's end, and what a command leaves running.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([
    "anthropic",
    "mkdocs.commands.build",
    "material.plugins.search.plugin",
    "pymdownx.superfences",
    "errorspan.commands.agree",
    "errorspan.commands.asking",
    "errorspan.commands.check",
    "errorspan.commands.estimate",
    "errorspan.commands.evidence",
    "errorspan.commands.export",
    "errorspan.commands.grade",
    "errorspan.commands.hand",
    "errorspan.commands.importing",
    "errorspan.commands.init",
    "errorspan.commands.keeping",
    "errorspan.commands.new",
    "errorspan.commands.render",
    "errorspan.commands.runtimes",
    "errorspan.commands.visiting",
    "errorspan.commands.solve",
    "errorspan.site.mkdocs",
])  # fmt: skip
_DEFAULTS = jinja2.Environment.__init__.__defaults__ or ()
os.environ.pop("ANTHROPIC_LOG", None)  # else the SDK reads it as it is imported


def run(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float, *, sdk: bool
) -> subprocess.CompletedProcess[str]:
    """Do as `python -m` does with a module and its arguments; without the `sdk`, to import it is an error.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("out", "err")]
        process = FORKS.Process(target=_play, args=(command, cwd, dict(env), said, sdk))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(command, timeout)
        return subprocess.CompletedProcess(command, process.exitcode, *(path.read_text("utf-8") for path in said))


def _play(command: Sequence[str], cwd: Path, env: Mapping[str, str], said: Sequence[Path], sdk: bool) -> None:  # noqa: FBT001
    for stream, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.environ.clear()
    os.environ.update(env)
    jinja2.Environment.__init__.__defaults__ = (*_DEFAULTS[:-2], jinja2.FileSystemBytecodeCache(), *_DEFAULTS[-1:])
    time.tzset()
    os.chdir(cwd)
    if not sdk:
        for name in [name for name in sys.modules if name.partition(".")[0] == "anthropic"]:
            sys.modules[name] = None  # type: ignore[assignment]
    sys.path.insert(0, str(cwd))
    sys.argv[:] = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
