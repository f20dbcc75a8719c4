"""Tests of a token-bucket limiter, from the challenge's words.

Time is a number that only waiting moves: where a call of acquire sleeps, what others do meanwhile happens step by step, so
that every result is the same on each run.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

STANDARD = (5.0, 10)
STEP = 0.125
AFTERNOON = 100.0


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested."""
    return code


class Clock:
    """The time of a program; while it sleeps, others act at every step, until the moment at which it wakes."""

    def __init__(self):
        self.now = 1000.0
        self.others = lambda: None

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        end = self.now + max(seconds, 1e-6)
        while self.now < end:
            self.now = min(self.now + STEP, end)
            if self.now < min(end, 1000.0 + AFTERNOON):
                self.others()


@pytest.fixture
def clock(exercise, monkeypatch):
    made = Clock()
    fake = SimpleNamespace(monotonic=made.monotonic, time=made.monotonic, sleep=made.sleep, perf_counter=made.monotonic)
    monkeypatch.setattr(exercise, "time", fake)
    return made


@pytest.fixture
def limiter(exercise, clock):
    return exercise.RateLimiter(exercise.Limit(*STANDARD), {"free": exercise.Limit(1.0, 5), "pro": exercise.Limit(20.0, 100)})


def test_a_bucket_is_full_at_first_and_empties(limiter):
    assert [limiter.try_acquire("a") for _ in range(12)] == [True] * 10 + [False] * 2


def test_a_bucket_gains_its_rate_up_to_its_capacity(limiter, clock):
    assert limiter.try_acquire("a", 10) is True
    seen = []
    for seconds in (0.5, 0.5, 0.25, 60):
        clock.now += seconds
        seen.append(limiter.remaining("a"))
    assert seen == [2, 5, 6, 10]


def test_clients_have_buckets_and_limits_of_their_own(limiter):
    limiter.try_acquire("a", 10)
    assert [limiter.remaining(client) for client in ("a", "b", "free", "pro")] == [0, 10, 5, 100]


def test_a_refused_call_takes_nothing(limiter):
    limiter.try_acquire("a", 6)
    assert (limiter.try_acquire("a", 5), limiter.remaining("a"), limiter.try_acquire("a", 4)) == (False, 4, True)


def test_usage_counts_tokens_and_refusals(limiter):
    for cost in (4, 4, 4):
        limiter.try_acquire("a", cost)
    assert dict(limiter.usage("a")) == {"granted": 8, "refused": 1, "waiting": 0}


def test_a_client_that_is_not_seen_yet_has_used_nothing(limiter):
    assert dict(limiter.usage("nobody")) == {"granted": 0, "refused": 0, "waiting": 0}


@pytest.mark.parametrize(("taken", "cost", "seconds"), [(0, 1, 0.0), (10, 1, 0.2), (10, 10, 2.0), (4, 8, 0.4)])
def test_retry_after_is_when_the_bucket_holds_the_cost(limiter, taken, cost, seconds):
    if taken:
        limiter.try_acquire("a", taken)
    assert limiter.retry_after("a", cost) == pytest.approx(seconds)


def test_what_retry_after_says_is_true(limiter, clock, record_property):
    record_property("input", "a Free client, capacity 5, asks for 8 tokens and waits as long as it is told, five times")
    record_property("expected", "granted, or told that no time is long enough")
    for _ in range(5):
        seconds = limiter.retry_after("free", 8)
        if math.isinf(seconds):
            return
        clock.now += seconds
        if limiter.try_acquire("free", 8):
            return
    record_property("got", f"told to wait {seconds:g} s, and refused, each time")
    pytest.fail("a client that waits as long as it is told is refused for ever")


def test_retry_after_takes_nothing(limiter):
    limiter.retry_after("a", 10)
    assert limiter.remaining("a") == 10


def test_a_waiting_call_gets_its_tokens_when_they_are_there(limiter, clock):
    limiter.try_acquire("a", 10)
    assert limiter.acquire("a", 5, 20) is True
    assert clock.now == pytest.approx(1001.0, abs=0.2)


def test_a_waiting_call_gives_up_after_its_timeout(limiter, clock):
    limiter.try_acquire("a", 10)
    assert limiter.acquire("a", 10, 1) is False
    assert clock.now == pytest.approx(1001.0, abs=0.1)
    assert limiter.usage("a")["refused"] == 1


def test_a_batch_gets_its_tokens_while_pages_of_its_customer_keep_asking(limiter, clock, record_property):
    record_property("input", "a batch of 10 waits 20 s, pages of the same customer ask for single tokens 8 times a second")
    record_property("expected", "the batch gets its tokens")
    limiter.try_acquire("a", 10)
    clock.others = lambda: limiter.try_acquire("a")
    got = limiter.acquire("a", 10, 20)
    record_property("got", f"acquire returned {got}, {limiter.usage('a')['granted'] - 10 - 10 * got} tokens went to pages")
    assert got is True


def test_pages_are_served_again_once_the_batch_is(limiter, clock):
    limiter.try_acquire("a", 10)
    clock.others = lambda: limiter.try_acquire("a")
    limiter.acquire("a", 10, 20)
    clock.others = lambda: None
    clock.now += 1
    assert limiter.try_acquire("a") is True


def test_a_batch_that_can_never_be_served_holds_no_page_up(limiter, clock, record_property):
    record_property("input", "a batch of 12 waits 20 s on a full bucket of 10; a page asks for one token each second")
    record_property("expected", "every page is granted its token")
    pages = []

    def ask():
        if clock.now >= 1001.0 + len(pages):
            pages.append(limiter.try_acquire("a"))

    clock.others = ask
    assert limiter.acquire("a", 12, 20) is False
    record_property("got", f"{pages.count(False)} of {len(pages)} pages refused")
    assert False not in pages


def test_other_customers_do_not_wait_for_a_batch(limiter, clock):
    limiter.try_acquire("a", 10)
    seen = []
    clock.others = lambda: seen.append(limiter.remaining("b"))
    limiter.acquire("a", 10, 20)
    assert set(seen) == {10}


@pytest.mark.parametrize("cost", [0, -1])
def test_a_cost_that_is_not_positive_is_refused(limiter, cost):
    with pytest.raises(ValueError):
        limiter.try_acquire("a", cost)
