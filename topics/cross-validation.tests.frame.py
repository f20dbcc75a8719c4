"""What the exercise leaves out of alarm_report.py, and a small stand-in for the arrays of NumPy that it uses.

The records' one feature is the probability that the alarm gives them, so that it is known what has to come out. The
stand-in draws other random numbers than NumPy; nothing here depends on which.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import accumulate
from types import SimpleNamespace

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(1, 20))


@dataclass(frozen=True)
class Records:
    X: Array
    y: Array
    cow: Array
    farm: Array


@dataclass(frozen=True)
class Test:
    repeat: int
    test_index: Array
    marked: Array


@dataclass(frozen=True)
class Report:
    strength: float
    threshold: float
    precision: float
    recall: float
    f1: float
    recall_error: float
    f1_error: float
    farm_recall: float
    missed_cows: float
    tests: list[Test]


class Alarm:
    """A stand-in that learns nothing, and remembers on how many records it was built."""

    built = []

    def __init__(self, strength, rng):
        self.strength, self.rng = strength, rng

    def fit(self, X, y):
        self.built.append(list(X))
        return self

    def probability(self, X):
        return X


def choose_settings(X, y, farm, parts, rng):
    """A stand-in whose choice hangs on the division, as that of a real search does; the threshold it leaves alone."""
    choose_settings.asked.append((len(X), parts))
    farms = rng.permutation(np.unique(farm))
    return STRENGTHS[int(farms[0] + parts) % 4], 0.5


choose_settings.asked = []


class Array:
    """A column of numbers, of truth values, or of pairs."""

    def __init__(self, values):
        self.values = list(values)

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter(self.values)

    def __getitem__(self, at):
        return Array([self.values[i] for i in _places(at)]) if isinstance(at, Array) else self.values[at]

    def __setitem__(self, at, values):
        for i, value in zip(_places(at), values, strict=True):
            self.values[i] = value

    def __eq__(self, other):
        return Array([value == other for value in self.values])

    def __ne__(self, other):
        return Array([value != other for value in self.values])

    def __ge__(self, other):
        return Array([value >= other for value in self.values])

    def __and__(self, other):
        return Array([one and two for one, two in zip(self.values, other.values, strict=True)])

    def __invert__(self):
        return Array([not value for value in self.values])

    def any(self):
        return any(self.values)

    def sum(self):
        return sum(self.values)

    def mean(self):
        return sum(self.values) / len(self.values)

    def ravel(self):
        return self


class Table:
    """Rows of numbers, all of one length."""

    def __init__(self, rows):
        self.rows = rows

    def mean(self, axis):
        return Array([sum(column) / len(column) for column in zip(*self.rows, strict=True)])


class Generator:
    def __init__(self, seed):
        self.random = random.Random(repr(seed))

    def permutation(self, values):
        return Array(self.random.sample(list(values), len(values)))


def _places(at):
    places = list(at)
    return [i for i, wanted in enumerate(places) if wanted] if places and isinstance(places[0], bool) else places


def _unique(values, axis=None, return_inverse=False):
    found = sorted(set(values))
    place = {value: i for i, value in enumerate(found)}
    return (Array(found), Array([place[value] for value in values])) if return_inverse else Array(found)


def _array_split(values, parts):
    size, longer = divmod(len(values), parts)
    ends = list(accumulate(size + (part < longer) for part in range(parts)))
    return [Array(list(values)[start:end]) for start, end in zip([0, *ends], ends)]


def _isin(values, wanted):
    among = set(wanted)
    return Array([value in among for value in values])


def _setdiff1d(values, without):
    away = set(without)
    return Array(sorted({value for value in values if value not in away}))


def _bincount(places, weights):
    counts = [0.0] * (max(places) + 1)
    for place, weight in zip(places, weights, strict=True):
        counts[place] += weight
    return Array(counts)


def _mean(values):
    return sum(values) / len(values)


def _std(values, ddof):
    middle = _mean(values)
    return math.sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - ddof))


def _reshape(values, shape):
    if len(values) % shape[0]:
        raise ValueError(f"cannot reshape array of size {len(values)} into shape {shape}")
    width = len(values) // shape[0]
    return Table([values[row * width : (row + 1) * width] for row in range(shape[0])])


np = SimpleNamespace(
    arange=lambda n: Array(range(n)),
    array_split=_array_split,
    bincount=_bincount,
    concatenate=lambda arrays: Array([value for array in arrays for value in array]),
    flatnonzero=lambda array: Array(_places(array)),
    isin=_isin,
    mean=_mean,
    random=SimpleNamespace(default_rng=Generator),
    reshape=_reshape,
    setdiff1d=_setdiff1d,
    sqrt=math.sqrt,
    stack=lambda arrays, axis: Array(zip(*arrays, strict=True)),
    std=_std,
    sum=lambda array: array.sum(),
    unique=_unique,
    zeros=lambda n, dtype: Array([dtype()] * n),
)

# errorspan: exercise
