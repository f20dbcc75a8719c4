"""Tests of a Paysail webhook consumer.

No threads and no sleeping. Two workers meet because SQLite's trace callback lets the second one run just before a chosen
statement of the first; a worker dies because the same callback ends its process there. Every statement is tried in turn.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SECRET = "whsec_test"
PAYMENT, SELLER = "pay_51", "sel_8"


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested."""
    return code


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("PAYSAIL_SECRET", SECRET)


@pytest.fixture(scope="session")
def consumer(exercise) -> ModuleType:
    return exercise


@pytest.fixture
def db(consumer):
    connection = consumer.open_db(":memory:")
    yield connection
    connection.close()


def event(number: int, kind: str, *, payment: str = PAYMENT, **more) -> dict:
    """Return the event that is change `number` of a payment."""
    data = {"payment_id": payment, "sequence": number, **more}
    return {"id": f"evt_{payment}_{number}", "type": f"payment.{kind}", "data": data}


CAPTURED = event(1, "captured", seller_id=SELLER, amount="49.90")
REFUNDED = event(2, "refunded", amount="15.00")


def euros(cents: int) -> str:
    """Return cents as Paysail writes them: euros with exactly two decimals."""
    return f"{cents // 100}.{cents % 100:02}"


def compact(value: dict) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def signed(body: bytes) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-paysail-signature": signature, "x-paysail-delivery": hashlib.sha1(os.urandom(8)).hexdigest()}


def deliver(consumer, db, what: dict | bytes) -> int:
    body = what if isinstance(what, bytes) else compact(what)
    return consumer.receive(db, signed(body), body)


def done(status: int) -> bool:
    return 200 <= status < 300


def until_done(consumer, db, events) -> None:
    """Deliver as Paysail does: what is not answered with 2xx comes again, behind the others."""
    queue = list(events)
    deliveries_left = 20 * len(queue)
    while queue:
        assert deliveries_left, f"never acknowledged: {queue}"
        deliveries_left -= 1
        first = queue.pop(0)
        if not done(deliver(consumer, db, first)):
            queue.append(first)


# What arrives, and whether it is Paysail's


def test_capture_and_refund_are_booked_in_cents(consumer, db):
    assert done(deliver(consumer, db, CAPTURED))
    assert consumer.payable(db, SELLER) == 4990
    assert done(deliver(consumer, db, REFUNDED))
    assert done(deliver(consumer, db, event(3, "refunded", amount="0.29")))
    assert consumer.payable(db, SELLER) == 3461
    assert consumer.payable(db, "sel_unknown") == 0


def test_every_two_digit_amount_is_exact(consumer, db):
    for cents in itertools.chain(range(1, 3000), (10**9 + 29, 10**12 - 1)):
        captured = event(1, "captured", payment=f"p{cents}", seller_id=f"s{cents}", amount=euros(cents))
        assert done(deliver(consumer, db, captured))
        assert consumer.payable(db, f"s{cents}") == cents


@pytest.mark.parametrize(
    "body",
    [
        compact(CAPTURED),
        json.dumps(CAPTURED).encode(),
        json.dumps(CAPTURED, indent=2).encode(),
        compact(CAPTURED) + b"\n",
        json.dumps(CAPTURED | {"buyer": "Zoë"}, ensure_ascii=False, separators=(",", ":")).encode(),
        compact(CAPTURED | {"receipt": "https:@@x"}).replace(b"@", rb"\/"),
        compact(CAPTURED | {"rate": "@"}).replace(b'"@"', b"1e2"),
    ],
    ids=["compact", "spaces", "indented", "newline", "utf-8", "escaped-slash", "exponent"],
)
def test_signature_holds_for_the_bytes_that_were_sent(consumer, db, body):
    assert done(deliver(consumer, db, body))
    assert consumer.payable(db, SELLER) == 4990


def test_what_is_not_signed_is_refused(consumer, db):
    body = compact(CAPTURED)
    tampered = body.replace(b"49.90", b"94.90")
    assert consumer.receive(db, signed(body), tampered) == 401
    assert consumer.receive(db, {}, body) == 401
    assert consumer.receive(db, {"x-paysail-signature": "é"}, body) == 401
    assert consumer.payable(db, SELLER) == 0


def test_garbage_without_a_signature_is_refused(consumer, db):
    assert consumer.receive(db, signed(b"{}"), b"\xff no json") == 401


def test_other_types_are_acknowledged_and_ignored(consumer, db):
    assert done(deliver(consumer, db, {"id": "evt_o", "type": "payout.created", "data": {}}))
    assert consumer.payable(db, SELLER) == 0


# The same event more than once


def test_repeated_deliveries_count_once(consumer, db):
    for what in (CAPTURED, CAPTURED, REFUNDED, CAPTURED, REFUNDED):
        assert done(deliver(consumer, db, what))
    assert consumer.payable(db, SELLER) == 3490


def test_equal_amounts_of_two_events_count_twice(consumer, db):
    for what in (CAPTURED, REFUNDED, event(3, "refunded", amount="15.00")):
        assert done(deliver(consumer, db, what))
    assert consumer.payable(db, SELLER) == 1990


# Two workers at once


def workers(consumer, folder: Path) -> list[sqlite3.Connection]:
    found = [consumer.open_db(str(folder / "shop.db")) for _ in range(2)]
    for worker in found:
        worker.execute("PRAGMA busy_timeout = 0").fetchall()
    return found


def before_statement(db: sqlite3.Connection, number: int, act) -> list[str]:
    """Have `act` called just before this connection runs its statement `number`; return the growing list of statements."""
    ran: list[str] = []

    def trace(statement: str) -> None:
        ran.append(statement)
        if len(ran) == number:
            act()

    db.set_trace_callback(trace)
    return ran


def meet(consumer, folder: Path, before, mine: dict, theirs: dict, number: int) -> tuple[int, bool]:
    """Let the other worker handle `theirs` within mine; return payable in the end, and whether there was such a statement."""
    folder.mkdir()
    one, other = workers(consumer, folder)
    until_done(consumer, one, before)
    answers: list[int] = []
    ran = before_statement(one, number, lambda: answers.append(deliver(consumer, other, theirs)))
    open_events = [mine] if not done(deliver(consumer, one, mine)) else []
    one.set_trace_callback(None)
    open_events += [theirs] if not answers or not done(answers[0]) else []
    until_done(consumer, other, open_events)
    payable = consumer.payable(one, SELLER)
    one.close(), other.close()
    return payable, len(ran) >= number


@pytest.mark.parametrize("case", ["capture", "refund"])
def test_two_workers_with_the_same_event(consumer, tmp_path, case):
    before, mine, wanted = {"capture": ([], CAPTURED, 4990), "refund": ([CAPTURED], REFUNDED, 3490)}[case]
    for number in itertools.count(1):
        payable, reached = meet(consumer, tmp_path / str(number), before, mine, mine, number)
        assert payable == wanted, f"the other worker ran before statement {number}"
        if not reached:
            break
    assert number > 3


@pytest.mark.parametrize("first, second", [("held", "released"), ("released", "held")])
def test_two_workers_with_a_hold_and_a_release(consumer, tmp_path, first, second):
    changes = {"held": event(2, "held"), "released": event(3, "released")}
    for number in itertools.count(1):
        payable, reached = meet(consumer, tmp_path / str(number), [CAPTURED], changes[first], changes[second], number)
        assert payable == 4990, f"the other worker ran before statement {number}"
        if not reached:
            break


# Failures


DYING = """
import importlib.util, os, sys
module, database, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
spec = importlib.util.spec_from_file_location("consumer", module)
consumer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(consumer)
db = consumer.open_db(database)
ran = []
def trace(statement):
    ran.append(statement)
    if len(ran) == number:
        os._exit(9)
db.set_trace_callback(trace)
body = bytes.fromhex(sys.argv[4])
print(consumer.receive(db, {"x-paysail-signature": sys.argv[5]}, body))
"""


def dies(program: Path, database: Path, number: int, what: dict) -> bool:
    """Handle an event in a process that ends just before its statement `number`; tell whether it came so far."""
    body = compact(what)
    found = subprocess.run(
        [sys.executable, "-c", DYING, program, database, str(number), body.hex(), signed(body)["x-paysail-signature"]],
        capture_output=True,
        text=True,
        env={**os.environ, "PAYSAIL_SECRET": SECRET},
    )
    assert found.returncode in (0, 9), found.stderr
    return found.returncode == 9


@pytest.mark.parametrize("case", ["capture", "refund"])
def test_a_worker_that_dies_loses_nothing(consumer, program, tmp_path, case):
    before, mine, wanted = {"capture": ([], CAPTURED, 4990), "refund": ([CAPTURED], REFUNDED, 3490)}[case]
    for number in itertools.count(1):
        database = tmp_path / f"{number}.db"
        db = consumer.open_db(str(database))
        until_done(consumer, db, before)
        died = dies(program, database, number, mine)
        until_done(consumer, db, [mine])
        payable = consumer.payable(db, SELLER)
        db.close()
        assert payable == wanted, f"died before statement {number}"
        if not died:
            break
    assert number > 3


def test_an_event_that_cannot_be_stored_comes_again(consumer, tmp_path):
    one, other = workers(consumer, tmp_path)
    other.execute("BEGIN IMMEDIATE")
    assert deliver(consumer, one, CAPTURED) >= 500
    other.execute("ROLLBACK")
    until_done(consumer, one, [CAPTURED])
    assert consumer.payable(one, SELLER) == 4990
    one.close(), other.close()


def test_a_failure_leaves_no_lock_behind(consumer, tmp_path):
    one, other = workers(consumer, tmp_path)
    deliver(consumer, one, REFUNDED)
    deliver(consumer, one, CAPTURED)
    deliver(consumer, one, CAPTURED)
    assert not one.in_transaction
    until_done(consumer, other, [event(1, "captured", payment="pay_52", seller_id=SELLER, amount="1.00")])
    one.close(), other.close()


# The order of arrival


def test_refund_before_its_capture(consumer, db):
    until_done(consumer, db, [REFUNDED, CAPTURED])
    assert consumer.payable(db, SELLER) == 3490


def test_release_that_overtakes_its_hold(consumer, db):
    until_done(consumer, db, [CAPTURED, event(3, "released"), event(2, "held")])
    assert consumer.payable(db, SELLER) == 4990


def test_second_hold_that_overtakes_the_release(consumer, db):
    until_done(consumer, db, [CAPTURED, event(2, "held"), event(4, "held"), event(3, "released")])
    assert consumer.payable(db, SELLER) == 0


def test_any_order_of_a_payments_events(consumer):
    story = [
        CAPTURED,
        event(2, "held"),
        event(3, "refunded", amount="15.00"),
        event(4, "released"),
        event(5, "refunded", amount="5.00"),
    ]
    for order in itertools.permutations(story):
        db = consumer.open_db(":memory:")
        until_done(consumer, db, order)
        assert consumer.payable(db, SELLER) == 2990, [change["type"] for change in order]
        db.close()


def test_shuffled_and_repeated_events_of_many_payments(consumer):
    chance = random.Random(7)
    for _ in range(20):
        events, wanted = [], 0
        for payment in (f"pay_{n}" for n in range(12)):
            cents, held = chance.randrange(100, 99_999), False
            events.append(event(1, "captured", payment=payment, seller_id=SELLER, amount=euros(cents)))
            for number in range(2, chance.randrange(2, 9)):
                kind = chance.choice(["refunded", "released" if held else "held"])
                if kind == "refunded":
                    cents -= 7
                    events.append(event(number, kind, payment=payment, amount="0.07"))
                else:
                    held = kind == "held"
                    events.append(event(number, kind, payment=payment))
            wanted += 0 if held else cents
        queue = events + chance.choices(events, k=len(events))
        chance.shuffle(queue)
        db = consumer.open_db(":memory:")
        until_done(consumer, db, queue)
        assert consumer.payable(db, SELLER) == wanted
        db.close()
