"""Put the topic that `errorspan init` writes into the wheel. It stands in topics/, and in git only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TOPIC = "idempotent-payment-webhooks"


class StarterTopic(BuildHookInterface):  # type: ignore[type-arg]
    """Add the topic to the starter's files, as the wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; an editable install finds them in the clone, and a copy would hide its package."""
        if version == "editable":
            return
        topics = Path(self.root, "topics")
        for path in (*topics.glob(f"{TOPIC}.*"), topics / "runs" / TOPIC):
            within = path.relative_to(topics).as_posix()
            build_data["force_include"][str(path)] = f"errorspan/commands/starter/topics/{within}"
