"""What the exercise leaves out of limiter.py, as the same author wrote it."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple


class Limit(NamedTuple):
    rate: float       # tokens per second
    capacity: int     # tokens in a full bucket


def _check_limit(limit: Limit) -> None:
    if limit.rate <= 0:
        raise ValueError("rate must be positive")
    if limit.capacity <= 0:
        raise ValueError("capacity must be positive")


def _check_cost(cost: int) -> None:
    if cost <= 0:
        raise ValueError("cost must be positive")


# errorspan: exercise


def seconds_until(self, cost: int) -> float:
    self.refill()
    if self.tokens >= cost:
        return 0.0
    return (cost - self.tokens) / self.rate


def acquire(self, client: str, cost: int = 1, timeout: float | None = None) -> bool:
    _check_cost(cost)
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must not be negative")

    deadline = None if timeout is None else time.monotonic() + timeout
    bucket = self._bucket(client)

    with bucket.lock:
        if bucket.take(cost):
            return True
        if timeout == 0:
            bucket.refused += 1
            return False
        bucket.waiting += 1
        delay = bucket.seconds_until(cost)

    while True:
        if deadline is not None:
            delay = min(delay, deadline - time.monotonic())
        if delay > 0:
            time.sleep(delay)

        with bucket.lock:
            if bucket.take(cost):
                bucket.waiting -= 1
                return True
            if deadline is not None and time.monotonic() >= deadline:
                bucket.waiting -= 1
                bucket.refused += 1
                return False
            delay = bucket.seconds_until(cost)


_Bucket.seconds_until = seconds_until
RateLimiter.acquire = acquire
