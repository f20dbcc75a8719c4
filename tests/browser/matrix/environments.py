"""An environment for each neighbour: what the tests run in, and one more package on top."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

from filelock import FileLock
from packaging.requirements import Requirement

from conftest import ROOT

KEPT = Path(os.environ.get("ERRORSPAN_ENVIRONMENTS", ROOT / ".cache" / "environments"))
"""Where environments are kept from one run of the tests to the next."""
BENEATH = sysconfig.get_path("purelib")
PIP = (str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip", "--disable-pip-version-check")
TOLD = """
import json, sys
from importlib.metadata import distributions
print(json.dumps({found.name.lower().replace("_", "-"): found.version for found in reversed(list(distributions()))}))
"""


def environment(installs: Sequence[str]) -> Path:
    """Return the Python of an environment that has these requirements; make it where it is not kept."""
    if not installs:
        return Path(sys.executable)
    named = hashlib.sha256(json.dumps([sys.version, BENEATH, *installs]).encode()).hexdigest()[:16]
    folder = KEPT / named
    python = folder / "bin" / "python"
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(KEPT / f"{named}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
            (packages,) = folder.glob("lib/python*/site-packages")
            (packages / "beneath.pth").write_text(f"import site; site.addsitedir({BENEATH!r})\n", "utf-8")
            subprocess.run([*PIP, "--python", str(python), "install", "--quiet", *installs], check=True)
            (folder / "complete").touch()
    return python


def replaced(python: Path) -> list[str]:
    """Return what an environment has in a version that Errorspan does not allow."""
    told = subprocess.run([str(python), "-c", TOLD], check=True, capture_output=True, text=True)
    versions = json.loads(told.stdout)
    pins = [Requirement(text) for text in requires("errorspan") or () if "extra ==" not in text]
    return [f"{pin} (got {versions[pin.name]})" for pin in pins if not pin.specifier.contains(versions[pin.name])]
