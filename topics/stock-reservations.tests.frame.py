"""What the exercise leaves out of reservations.py, as the same author wrote it."""

from __future__ import annotations

from dataclasses import dataclass


class ReservationError(Exception):
    pass


class SoldOut(ReservationError):
    pass


@dataclass(frozen=True)
class Reservation:
    id: int
    customer: str
    sku: str
    quantity: int
    state: str             # 'active', 'confirmed', 'released' or 'expired'
    expires_at: datetime   # with time zone, UTC


SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (
    sku TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS reservations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    state TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_reservations_sku ON reservations (sku, state);
CREATE INDEX IF NOT EXISTS idx_reservations_state ON reservations (state, expires_at);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reservation_id INTEGER NOT NULL UNIQUE REFERENCES reservations (id)
);
"""


# errorspan: exercise


def __init__(self, path: str, hold_seconds: int = 900):
    self.hold_seconds = hold_seconds
    self.conn = sqlite3.connect(path, timeout=15, isolation_level=None)
    self.conn.row_factory = sqlite3.Row
    self.conn.execute("PRAGMA journal_mode=WAL")
    self.conn.executescript(SCHEMA)


def _to_reservation(self, row) -> Reservation:
    return Reservation(
        id=row["id"],
        customer=row["customer"],
        sku=row["sku"],
        quantity=row["quantity"],
        state=row["state"],
        expires_at=datetime.fromtimestamp(row["expires_at"], timezone.utc),
    )


def _row(self, reservation_id: int):
    row = self.conn.execute(
        "SELECT * FROM reservations WHERE id = ?", (reservation_id,)
    ).fetchone()
    if row is None:
        raise ReservationError(f"unknown reservation {reservation_id}")
    return row


def add_stock(self, sku: str, quantity: int) -> None:
    if quantity <= 0:
        raise ValueError("quantity must be positive")
    with self._transaction():
        self.conn.execute(
            """
            INSERT INTO stock (sku, quantity) VALUES (?, ?)
            ON CONFLICT (sku) DO UPDATE SET quantity = quantity + excluded.quantity
            """,
            (sku, quantity),
        )


def available(self, sku: str) -> int:
    return self._available(sku, _now())


def get(self, reservation_id: int) -> Reservation:
    return self._to_reservation(self._row(reservation_id))


def release(self, reservation_id: int) -> None:
    with self._transaction():
        row = self._row(reservation_id)
        if row["state"] == "confirmed":
            raise ReservationError(f"reservation {reservation_id} is already confirmed")
        if row["state"] == "active":
            self.conn.execute(
                "UPDATE reservations SET state = 'released' WHERE id = ?", (reservation_id,)
            )


def sweep(self) -> int:
    with self._transaction():
        cursor = self.conn.execute(
            "UPDATE reservations SET state = 'expired' WHERE state = 'active' AND expires_at <= ?",
            (_now().timestamp(),),
        )
        return cursor.rowcount


def close(self) -> None:
    self.conn.close()


Stock.__init__ = __init__
Stock._to_reservation = _to_reservation
Stock._row = _row
Stock.add_stock = add_stock
Stock.available = available
Stock.get = get
Stock.release = release
Stock.sweep = sweep
Stock.close = close
