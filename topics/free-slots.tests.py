"""Tests of the search for common free time, from the challenge's words: opening hours are 9:00 to 14:00, 540 to 840."""

from __future__ import annotations

import random

OPEN, CLOSE = 540, 840


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested.

    The weak tier's answer ends with a fence that nothing opens; the sentence behind it is no code.
    """
    return code.partition("\n\nThis implementation should meet")[0]


def free(exercise, length, **calendars):
    """Ask for all people of these calendars."""
    return exercise.free_slots(calendars, list(calendars), OPEN, CLOSE, length)


def minute_by_minute(length, calendars):
    """Return the right answer the long way: look at every minute of the opening hours."""
    entries = [entry for of_one in calendars.values() for entry in of_one]
    stretches, start = [], None
    for minute in range(OPEN, CLOSE + 1):
        is_free = minute < CLOSE and not any(begin <= minute < end for begin, end in entries)
        if is_free and start is None:
            start = minute
        elif not is_free and start is not None:
            stretches += [(start, minute)] if minute - start >= length else []
            start = None
    return stretches


def test_the_example_of_the_challenge(exercise):
    assert free(exercise, 90, Ana=[[540, 600]], Ben=[[720, 780]]) == [(600, 720)]


def test_people_are_free_together(exercise):
    assert free(exercise, 30, Ana=[[540, 630]], Ben=[[600, 700]], Cem=[[780, 840]]) == [(700, 780)]


def test_people_who_share_no_time_get_none(exercise):
    assert free(exercise, 30, Ana=[[540, 690]], Ben=[[690, 840]]) == []


def test_somebody_who_has_no_entry_is_free_all_day(exercise):
    assert free(exercise, 60, Ana=[]) == [(540, 840)]


def test_two_people_who_have_no_entry_are_free_all_day_once(exercise):
    assert free(exercise, 60, Ana=[], Ben=[]) == [(540, 840)]


def test_people_who_are_not_named_do_not_matter(exercise):
    calendars = {"Ana": [[540, 600]], "Ben": [[600, 840]]}
    assert exercise.free_slots(calendars, ["Ana"], OPEN, CLOSE, 60) == [(600, 840)]


def test_an_evening_at_another_site_is_after_closing(exercise):
    assert free(exercise, 60, Ana=[[600, 660], [1140, 1200]]) == [(540, 600), (660, 840)]


def test_an_entry_that_lasts_beyond_closing(exercise):
    assert free(exercise, 60, Ana=[[780, 900], [1140, 1200]]) == [(540, 780)]


def test_a_morning_at_another_site_is_before_opening(exercise):
    assert free(exercise, 60, Ana=[[420, 500], [600, 660]]) == [(540, 600), (660, 840)]


def test_an_entry_that_lasts_beyond_opening(exercise):
    assert free(exercise, 60, Ana=[[500, 570]]) == [(570, 840)]


def test_a_treatment_on_top_of_on_call_duty_frees_nothing(exercise):
    assert free(exercise, 60, Ana=[[480, 720], [540, 560]]) == [(720, 840)]


def test_an_entry_in_the_middle_that_holds_a_shorter_one(exercise):
    assert free(exercise, 30, Ana=[[600, 780], [620, 640]]) == [(540, 600), (780, 840)]


def test_a_gap_between_entries_that_is_too_short(exercise):
    assert free(exercise, 90, Ana=[[540, 600], [660, 780]]) == []


def test_a_gap_between_entries_that_is_just_long_enough(exercise):
    assert free(exercise, 60, Ana=[[540, 600], [660, 840]]) == [(600, 660)]


def test_a_rest_of_the_day_that_is_too_short(exercise):
    assert free(exercise, 90, Ana=[[540, 780]]) == []


def test_a_rest_of_the_day_that_is_just_long_enough(exercise):
    assert free(exercise, 60, Ana=[[540, 780]]) == [(780, 840)]


def test_a_stretch_before_closing_that_an_evening_entry_makes_no_longer(exercise):
    assert free(exercise, 90, Ana=[[540, 780], [1140, 1200]]) == []


def test_the_calendars_stay_as_they_are(exercise):
    calendars = {"Ana": [[540, 600], [700, 720]], "Ben": [[550, 580]]}
    exercise.free_slots(calendars, ["Ana", "Ben"], OPEN, CLOSE, 30)
    assert calendars == {"Ana": [[540, 600], [700, 720]], "Ben": [[550, 580]]}


def test_hundred_days_agree_with_a_search_minute_by_minute(exercise, record_property):
    draw = random.Random(13)
    for _ in range(100):
        calendars = {}
        for name in ("Ana", "Ben", "Cem")[: draw.randint(1, 3)]:
            starts = sorted(draw.randrange(400, 1000, 5) for _ in range(draw.randint(0, 4)))
            calendars[name] = [[start, start + draw.randrange(5, 200, 5)] for start in starts]
        length = draw.choice((15, 30, 60, 90))
        record_property("input", f"{calendars}, length {length}")
        assert free(exercise, length, **calendars) == minute_by_minute(length, calendars)
