"""Tests of the two functions that write durations, from the challenge's words."""

from __future__ import annotations

import re

import pytest

PARTS = re.compile(r"(?:(\d+)h)? ?(?:(\d+)m)? ?(?:(\d+)s)?")
FIRST_TWO_HOURS = range(1, 7300)


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested."""
    return code


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (5400, "1h 30m"), (4215, "1h 10m 15s"), (7200, "2h"), (60, "1m"), (59, "59s"), (61, "1m 1s"), (3601, "1h 1s"),
        (363_600, "101h"),
    ],
)
def test_parts_that_are_zero_are_left_out(exercise, seconds, written):
    assert exercise.format_duration(seconds) == written


def test_zero_is_written_so_that_it_can_be_saved_again(exercise, record_property):
    record_property("expected", "'0s', '0m' or '0h'")
    assert exercise.format_duration(0) in ("0s", "0m", "0h")


def test_what_is_written_stands_for_the_same_number(exercise, record_property):
    record_property("input", "every number of seconds up to two hours")
    record_property("expected", "a text that says the same number")
    wrong = {}
    for seconds in FIRST_TWO_HOURS:
        written = exercise.format_duration(seconds)
        found = PARTS.fullmatch(str(written))
        read = sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1))) if found else None
        if read != seconds:
            wrong[seconds] = written
    assert wrong == {}


@pytest.mark.parametrize(("seconds", "shown"), [(760, "12:40"), (600, "10:00"), (3599, "59:59")])
def test_below_one_hour_the_clock_shows_minutes_and_seconds(exercise, seconds, shown):
    assert exercise.format_clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (5415, "1:30:15"), (3600, "1:00:00"), (3661, "1:01:01"), (7325, "2:02:05"), (36_000, "10:00:00"),
        (363_599, "100:59:59"),
    ],
)
def test_from_one_hour_on_the_clock_shows_hours(exercise, seconds, shown):
    assert exercise.format_clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (5, "0:05"), (59, "0:59"), (60, "1:00"), (65, "1:05"), (599, "9:59")]
)
def test_below_ten_minutes_the_clock_shows_both_as_well(exercise, record_property, seconds, shown):
    record_property("expected", f"{shown!r} or '0{shown}'")
    assert exercise.format_clock(seconds) in (shown, f"0{shown}")
