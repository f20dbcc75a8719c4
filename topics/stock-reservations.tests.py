"""Tests of stock and reservations, from the challenge's words.

The clock is a number. Where a call has to wait for the database, what happens meanwhile happens then, and time goes on.
"""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
from types import SimpleNamespace

import pytest

HOLD = 900
NINE = 1_764_320_400.0


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested."""
    return code


class World:
    """The time, what happens while a call waits for the database, and whether the disk is full at the next COMMIT."""

    def __init__(self):
        self.now = NINE
        self.meanwhile = None
        self.full = False
        self.connections = []

    def waits(self, connection):
        """Let happen what happens while a transaction waits to begin."""
        if self.meanwhile and connection is self.connections[0]:
            act, self.meanwhile = self.meanwhile, None
            act()

    def sleep(self, seconds):
        self.now += max(seconds, 0.01)

    def limit_disk(self):
        """Leave no room in the file for what the next call writes."""
        pages = self.connections[0].execute("PRAGMA page_count").fetchone()[0]
        self.connections[0].execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def world(exercise, monkeypatch):
    made, connect = World(), sqlite3.connect

    class Connection(sqlite3.Connection):
        def execute(self, sql, *args):
            said = sql.strip().upper()
            if said.startswith("BEGIN"):
                made.waits(self)
            if said == "COMMIT" and made.full:
                made.full = False
                super().execute("ROLLBACK")
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *args)

    class Datetime(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(made.now, tz)

    def opened(path, **options):
        made.connections.append(connect(path, **(options | {"timeout": 0, "factory": Connection})))
        return made.connections[-1]

    monkeypatch.setattr(sqlite3, "connect", opened)
    if hasattr(exercise, "datetime"):
        monkeypatch.setattr(exercise, "datetime", Datetime)
    if hasattr(exercise, "time"):
        fake = SimpleNamespace(
            time=lambda: made.now, time_ns=lambda: int(made.now * 1e9), monotonic=lambda: made.now, sleep=made.sleep
        )
        monkeypatch.setattr(exercise, "time", fake)
    yield made
    for connection in made.connections:
        connection.close()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "shop.sqlite")


@pytest.fixture
def stock(exercise, world, path):
    """Return a process's stock, with 3 saddles and 5 tyres on the shelf."""
    made = exercise.Stock(path, HOLD)
    made.add_stock("saddle", 3)
    made.add_stock("tyre", 5)
    return made


@pytest.fixture
def other(exercise, stock, path):
    """Return the stock of another process, on the same file."""
    return exercise.Stock(path, HOLD)


def outcome(exercise, call, *args):
    """Return what a call returns, or the name of the promised exception."""
    try:
        return call(*args)
    except exercise.ReservationError as error:
        return "SoldOut" if isinstance(error, exercise.SoldOut) else "ReservationError"


def held(reservation):
    return reservation if isinstance(reservation, str) else (reservation.customer, reservation.sku, reservation.quantity)


def test_a_reservation_holds_pieces(stock):
    reservation = stock.reserve("ann", "saddle", 2, "basket-1")
    assert (held(reservation), reservation.state, stock.available("saddle")) == (("ann", "saddle", 2), "active", 1)


def test_a_reservation_ends_fifteen_minutes_after_it_was_made(stock, world):
    reservation = stock.reserve("ann", "saddle", 2, "basket-1")
    assert reservation.expires_at.timestamp() == NINE + HOLD
    world.now += HOLD
    assert stock.available("saddle") == 3


def test_more_than_there_is_is_sold_out_and_holds_nothing(exercise, stock):
    asked = outcome(exercise, stock.reserve, "ann", "saddle", 4, "basket-1")
    assert (asked, stock.available("saddle")) == ("SoldOut", 3)


def test_an_article_that_nobody_knows_is_sold_out(exercise, stock):
    assert outcome(exercise, stock.reserve, "ann", "bell", 1, "basket-1") == "SoldOut"


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_that_is_not_positive_is_refused(stock, quantity):
    with pytest.raises(ValueError):
        stock.reserve("ann", "saddle", quantity, "basket-1")


def test_a_request_that_is_repeated_gets_the_same_reservation(stock):
    ids = {stock.reserve("ann", "saddle", 2, "basket-1").id for _ in range(3)}
    assert (len(ids), stock.available("saddle")) == (1, 1)


@pytest.mark.parametrize(
    ("customer", "sku", "quantity"),
    [("ann", "tyre", 1), ("ann", "saddle", 3), ("till", "saddle", 1)],
    ids=["second-article", "edited-quantity", "receipt-with-the-same-number"],
)
def test_nobody_gets_a_reservation_of_something_else(exercise, stock, record_property, customer, sku, quantity):
    record_property("input", f"reserve('ann', 'saddle', 1, 'no-77'), then reserve({customer!r}, {sku!r}, {quantity}, 'no-77')")
    record_property("expected", f"a reservation of {(customer, sku, quantity)}, or a ReservationError")
    stock.reserve("ann", "saddle", 1, "no-77")
    got = held(outcome(exercise, stock.reserve, customer, sku, quantity, "no-77"))
    record_property("got", f"a reservation of {got}")
    assert got in ((customer, sku, quantity), "ReservationError", "SoldOut")


def test_what_was_paid_is_sold_for_good(stock, world):
    stock.confirm(stock.reserve("ann", "saddle", 2, "basket-1").id)
    world.now += 10 * HOLD
    stock.sweep()
    assert stock.available("saddle") == 1


def test_a_confirmation_that_is_repeated_returns_the_same_number(stock, world):
    first, second = (stock.reserve("ann", "saddle", 1, f"basket-{n}").id for n in (1, 2))
    numbers = [stock.confirm(first), stock.confirm(second), stock.confirm(first)]
    world.now += 2 * HOLD
    numbers.append(stock.confirm(first))
    assert numbers == [numbers[0], numbers[1], numbers[0], numbers[0]]
    assert numbers[0] != numbers[1]


def test_a_reservation_that_nobody_made_cannot_be_confirmed(exercise, stock):
    assert outcome(exercise, stock.confirm, 99) == "ReservationError"


@pytest.mark.parametrize("swept", [False, True], ids=["not-swept", "swept"])
def test_a_reservation_whose_time_is_over_cannot_be_confirmed(exercise, stock, world, swept):
    reservation = stock.reserve("ann", "saddle", 1, "basket-1")
    world.now += HOLD
    if swept:
        stock.sweep()
    assert outcome(exercise, stock.confirm, reservation.id) == "ReservationError"


def test_a_reservation_that_was_released_cannot_be_confirmed(exercise, stock):
    reservation = stock.reserve("ann", "saddle", 1, "basket-1")
    stock.release(reservation.id)
    assert (outcome(exercise, stock.confirm, reservation.id), stock.available("saddle")) == ("ReservationError", 3)


@pytest.mark.parametrize("swept", [False, True], ids=["not-swept", "swept"])
def test_who_pays_in_time_gets_the_order_also_after_a_wait(exercise, stock, other, world, record_property, swept):
    first = "; the sweeper is first to have its turn" if swept else ""
    record_property("input", f"confirm() two seconds before the end, and an importer that writes for three seconds{first}")
    record_property("expected", "an order number")
    reservation = stock.reserve("ann", "saddle", 1, "basket-1")
    world.now += HOLD - 2

    def importer():
        world.now += 3
        if swept:
            other.sweep()

    world.meanwhile = importer
    got = outcome(exercise, stock.confirm, reservation.id)
    record_property("got", str(got))
    assert got != "ReservationError"
    assert stock.available("saddle") == 2


def test_who_pays_in_time_does_not_get_what_was_sold_meanwhile(exercise, stock, other, world):
    reservation = stock.reserve("ann", "saddle", 3, "basket-1")
    world.now += HOLD - 2

    def importer():
        world.now += 3
        other.reserve("bob", "saddle", 1, "basket-2")

    world.meanwhile = importer
    assert (outcome(exercise, stock.confirm, reservation.id), stock.available("saddle")) == ("ReservationError", 2)


def test_who_pays_too_late_is_refused_after_a_wait_as_well(exercise, stock, world):
    reservation = stock.reserve("ann", "saddle", 1, "basket-1")
    world.now += HOLD
    world.meanwhile = lambda: world.sleep(3)
    assert outcome(exercise, stock.confirm, reservation.id) == "ReservationError"


def test_two_processes_hold_no_more_than_there_is(exercise, stock, other):
    asked = [
        held(outcome(exercise, process.reserve, "ann", "saddle", 1, f"basket-{n}"))
        for n, process in enumerate(itertools.islice(itertools.cycle((stock, other)), 5))
    ]
    assert asked == [("ann", "saddle", 1)] * 3 + ["SoldOut"] * 2


@pytest.mark.parametrize("call", ["reserve", "confirm"])
def test_a_database_that_stays_locked_ends_in_the_promised_exception(exercise, stock, other, world, record_property, call):
    record_property("input", f"{call}(), while another process holds the database for longer than anybody waits")
    record_property("expected", "ReservationError")
    reservation = stock.reserve("ann", "saddle", 1, "basket-1")
    world.connections[1].execute("BEGIN IMMEDIATE")
    asked = {"reserve": ("ann", "tyre", 1, "basket-2"), "confirm": (reservation.id,)}[call]
    assert outcome(exercise, getattr(stock, call), *asked) == "ReservationError"


def test_a_disk_that_is_full_ends_in_the_promised_exception(exercise, stock, world, record_property):
    record_property("input", "reserve() with a long name, where the file cannot grow any more")
    record_property("expected", "ReservationError")
    world.limit_disk()
    assert outcome(exercise, stock.reserve, "a" * 100_000, "saddle", 1, "basket-1") == "ReservationError"
    assert stock.available("saddle") == 3


def test_a_commit_that_fails_ends_in_the_promised_exception(exercise, stock, world, record_property):
    record_property("input", "reserve(), and a disk that is full at COMMIT")
    record_property("expected", "ReservationError")
    world.full = True
    assert outcome(exercise, stock.reserve, "ann", "saddle", 1, "basket-1") == "ReservationError"


def test_a_call_that_failed_leaves_nothing_behind(exercise, stock, world):
    with pytest.raises(exercise.SoldOut):
        stock.reserve("ann", "saddle", 9, "basket-1")
    assert held(stock.reserve("ann", "saddle", 3, "basket-2")) == ("ann", "saddle", 3)
