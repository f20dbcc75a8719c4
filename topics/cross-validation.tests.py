"""Tests of the figures of a lameness alarm, from the challenge's words.

The alarm is a stand-in that marks a record as its one feature says: what the figures must be is then known, and how far
they lie from those of the buyers can be counted. The tiers' whole answers train alarms with NumPy, and are not tried.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from types import SimpleNamespace

import pytest

class Farm(SimpleNamespace):
    """What a farm's records are: how many lame, how many of these are found, and what else is there and is marked."""

    def records(self):
        return [(1, i < self.found) for i in range(self.lame)] + [(0, i < self.wrong) for i in range(self.sound)]


def sixteen_farms(draw, *, large=None):
    """Draw farms as a trial does: each has its own share of lame records, and its own share of these that are found."""
    farms = []
    for number in range(16):
        lame = draw.randint(3, 8)
        found = sum(draw.random() < draw.choice((0.2, 0.5, 0.9)) for _ in range(lame))
        farms.append(Farm(lame=lame, found=found, sound=6, wrong=draw.randint(0, 2)))
    if large is not None:
        farms[large] = Farm(lame=90, found=81, sound=6, wrong=0)
    return farms


def made(exercise, farms):
    """Return the records of these farms: two lame records to a cow, and the cows of each farm numbered from 1."""
    rows = [
        (0.9 if marked else 0.1, y, place // 2 + 1, number)
        for number, farm in enumerate(farms)
        for place, (y, marked) in enumerate(farm.records())
    ]
    return exercise.Records(*(exercise.Array(column) for column in zip(*rows)))


def recall_and_f1(farms):
    lame, found = sum(farm.lame for farm in farms), sum(farm.found for farm in farms)
    marked = found + sum(farm.wrong for farm in farms)
    return found / lame, 2 * found / (lame + marked)


@pytest.fixture(autouse=True)
def nothing_remembered(exercise):
    exercise.Alarm.built.clear()
    exercise.choose_settings.asked.clear()


@pytest.fixture
def farms():
    return sixteen_farms(random.Random(7))


@pytest.fixture
def records(exercise, farms):
    return made(exercise, farms)


def test_each_record_is_tested_once_in_each_repeat(exercise, records):
    report = exercise.evaluate(records, folds=5, repeats=3)
    times = Counter((test.repeat, row) for test in report.tests for row in test.test_index)
    assert [test.repeat for test in report.tests] == [0] * 5 + [1] * 5 + [2] * 5
    assert (len(times), set(times.values())) == (3 * len(records.y), {1})


def test_no_alarm_is_tested_on_a_farm_that_it_was_built_from(exercise, farms):
    rows = made(exercise, farms)
    each = exercise.Records(exercise.Array(range(len(rows.y))), rows.y, rows.cow, rows.farm)
    report = exercise.evaluate(each, folds=5, repeats=2)
    known = [{each.farm[row] for row in built} for built in exercise.Alarm.built]
    assert [seen & {each.farm[row] for row in test.test_index} for seen, test in zip(known, report.tests)] == [set()] * 10


def test_the_figures_are_those_of_all_decisions_together(exercise, farms, records):
    report = exercise.evaluate(records, folds=5, repeats=3)
    recall, f1 = recall_and_f1(farms)
    found, wrong = sum(farm.found for farm in farms), sum(farm.wrong for farm in farms)
    assert [report.precision, report.recall, report.f1] == pytest.approx([found / (found + wrong), recall, f1])


def test_the_recall_that_a_farm_sees(exercise, farms, records):
    report = exercise.evaluate(records, folds=5, repeats=3)
    assert report.farm_recall == pytest.approx(sum(farm.found / farm.lame for farm in farms) / len(farms))


def test_a_farm_without_lame_records_sees_no_recall(exercise):
    farms = [Farm(lame=4, found=2, sound=4, wrong=0) for _ in range(15)] + [Farm(lame=0, found=0, sound=4, wrong=1)]
    report = exercise.evaluate(made(exercise, farms), folds=4, repeats=2)
    assert (report.recall, report.farm_recall) == pytest.approx((0.5, 0.5))


def test_the_lame_cows_that_were_missed(exercise, records):
    report = exercise.evaluate(records, folds=5, repeats=3)
    hits = defaultdict(int)
    for x, y, cow, farm in zip(records.X, records.y, records.cow, records.farm):
        if y == 1:
            hits[farm, cow] += x >= 0.5
    assert report.missed_cows == pytest.approx(sum(hit == 0 for hit in hits.values()) / len(hits))


def test_two_calls_with_the_same_arguments_give_the_same_report(exercise, records):
    first, second = (exercise.evaluate(records, folds=5, repeats=3, seed=4) for _ in range(2))
    same = [name for name in vars(first) if name != "tests" and getattr(first, name) != getattr(second, name)]
    divisions = [[list(test.test_index) for test in report.tests] for report in (first, second)]
    assert (same, divisions[0] == divisions[1]) == ([], True)


def test_other_seeds_divide_the_records_in_another_way(exercise, records):
    divisions = {
        tuple(tuple(test.test_index) for test in exercise.evaluate(records, repeats=1, seed=seed).tests) for seed in range(5)
    }
    assert len(divisions) > 1


def test_more_repeats_do_not_change_what_is_sold(exercise, records, record_property):
    record_property("input", "the same records and the same seed, with 1 to 6 repeats, for 5 seeds")
    record_property("expected", "one strength for each seed, whatever the repeats")
    sold = {
        seed: sorted({exercise.evaluate(records, repeats=repeats, seed=seed).strength for repeats in range(1, 7)})
        for seed in range(5)
    }
    record_property("got", f"strengths by seed: {sold}")
    assert {len(strengths) for strengths in sold.values()} == {1}


def test_what_is_sold_is_found_as_it_is_in_the_tests(exercise, records, record_property):
    record_property("input", "evaluate(records, folds=5, repeats=1)")
    exercise.evaluate(records, folds=5, repeats=1)
    parts = {rows == len(records.y): parts for rows, parts in exercise.choose_settings.asked}
    record_property("got", f"{parts[True]} parts for the alarm that is sold, {parts[False]} for those that are tested")
    record_property("expected", "as many parts for the one as for the others")
    assert parts[True] == parts[False]


@pytest.mark.parametrize("figure", ["recall", "f1"])
def test_the_error_grows_with_what_hangs_on_a_single_farm(exercise, record_property, figure):
    place = ("recall", "f1").index(figure)
    others = [Farm(lame=6, found=3 + number % 2, sound=6, wrong=1) for number in range(15)]
    hangs, errors = [], []
    for times in (1, 12):
        farms = [*others, Farm(lame=6 * times, found=6 * times, sound=6 * times, wrong=0)]
        hangs.append(recall_and_f1(farms)[place] - recall_and_f1(others)[place])
        errors.append(getattr(exercise.evaluate(made(exercise, farms), repeats=4), f"{figure}_error"))
    record_property("input", f"16 farms: without the best one {figure} would be {hangs[0]:.2f} lower, and {hangs[1]:.2f} if it is large")
    record_property("got", "errors of {:.3f} and {:.3f}".format(*errors))
    record_property("expected", f"a second error that is at least {hangs[1] / hangs[0] / 2:.1f} times the first")
    assert errors[1] >= errors[0] * hangs[1] / hangs[0] / 2


@pytest.fixture(scope="module")
def forty_trials(exercise):
    """Return by figure, for 40 trials of 16 farms each, how far the buyers' figure lies off, and the stated error."""
    draw = random.Random(40)
    buyers = recall_and_f1([farm for _ in range(200) for farm in sixteen_farms(draw)])
    trials = {"recall": [], "f1": []}
    for _ in range(40):
        report = exercise.evaluate(made(exercise, sixteen_farms(draw)), folds=5, repeats=2)
        for (figure, seen), true in zip(trials.items(), buyers):
            seen.append((abs(getattr(report, figure) - true), getattr(report, f"{figure}_error")))
    return trials


@pytest.mark.parametrize("figure", ["recall", "f1"])
def test_no_more_money_is_put_aside_than_deviations_call_for(forty_trials, record_property, figure):
    off, error = (sum(values) / 40 for values in zip(*forty_trials[figure]))
    record_property("input", f"40 trials of 16 farms, and 3,200 buyers: how far {figure} lies off, and its stated error")
    record_property("got", f"off by {off:.3f} on average, with a stated error of {error:.3f}")
    record_property("expected", "an error of at most four times that")
    assert error <= 4 * off


@pytest.mark.parametrize("figure", ["recall_error", "f1_error"])
def test_more_repeats_on_the_same_farms_make_no_error_smaller(exercise, records, record_property, figure):
    record_property("input", f"{figure} with 2 and with 16 repeats, where every repeat marks the same records")
    errors = [getattr(exercise.evaluate(records, repeats=repeats), figure) for repeats in (2, 16)]
    record_property("got", "{:.4f} and {:.4f}".format(*errors))
    record_property("expected", "about the same")
    assert errors[1] == pytest.approx(errors[0], rel=0.1)


@pytest.mark.parametrize("figure", ["recall", "f1"])
def test_the_error_shows_how_much_hangs_on_a_single_farm(exercise, record_property, figure):
    farms = sixteen_farms(random.Random(7), large=3)
    place = ("recall", "f1").index(figure)
    stated, without = (recall_and_f1(some)[place] for some in (farms, farms[:3] + farms[4:]))
    record_property("input", f"16 farms, one of which has half of the lame records: {figure} is {stated:.2f}, without it {without:.2f}")
    error = getattr(exercise.evaluate(made(exercise, farms), repeats=4), f"{figure}_error")
    record_property("got", f"an error of {error:.3f}")
    record_property("expected", f"at least half of the {stated - without:.2f} that hang on this farm")
    assert error >= (stated - without) / 2


@pytest.mark.parametrize("figure", ["recall", "f1"])
def test_buyers_get_no_less_than_the_stated_value_less_twice_its_error(forty_trials, record_property, figure):
    within = sum(off <= 2 * error for off, error in forty_trials[figure])
    record_property("input", f"40 trials of 16 farms, and 3,200 buyers: in how many {figure} lies within two errors")
    record_property("got", f"{within} of 40")
    record_property("expected", "at least 34 of 40")
    assert within >= 34
