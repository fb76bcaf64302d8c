"""The worker's role in Postgres can do nothing but its work, and a secret or a person's word in a log is found."""
import subprocess
import sys

import psycopg

import canaries

# Whatever is in the schema, also what a later migration adds.
TABLES = """SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'booking'::regnamespace AND c.relkind IN ('r', 'p')"""
APPEND_ONLY = ("booking.order_history", "booking.outbox", "booking.lane_decisions")

FORBIDDEN = (
    "CREATE TABLE booking.more (a integer)", "CREATE TABLE public.more (a integer)", "CREATE SCHEMA more", "DROP SCHEMA booking CASCADE",
    "CREATE INDEX ON booking.orders (lane)", "CREATE VIEW booking.more AS SELECT 1", "DROP VIEW booking.order_overview",
    "CREATE FUNCTION booking.more() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION booking.advance_lanes",
    "CREATE TRIGGER more BEFORE INSERT ON booking.orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE ROLE more", "CREATE DATABASE more", "ALTER SYSTEM SET fsync = off", "ALTER ROLE test_worker SUPERUSER",
    "SET ROLE booking_owner", "SET SESSION AUTHORIZATION booking_owner", "GRANT booking_owner TO test_worker",
    "ALTER TABLE booking.orders OWNER TO test_worker", "REASSIGN OWNED BY booking_owner TO test_worker",
    "SELECT booking.make_partitions(1, 1)", "SELECT booking.drop_partitions('outbox', '2020-01-01')",
    "SELECT secret FROM elsewhere.private", "SELECT rolpassword FROM pg_authid", "SELECT pg_read_file('postgresql.conf')",
    "COPY booking.orders TO PROGRAM 'cat'", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
)


def refusal(connection, statement):
    """The SQLSTATE that a statement ends with; 00000 = it was done."""
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return "00000"


def test_the_workers_role_can_do_nothing_but_its_work(world):
    with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA elsewhere")
        admin.execute("CREATE TABLE elsewhere.private (secret text)")
    tables = [table for (table,) in world.query(TABLES)]
    assert set(APPEND_ONLY) < set(tables) and len(tables) > 50  # with all partitions
    statements = list(FORBIDDEN)
    for table in tables:
        statements += [f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}", f"ALTER TABLE {table} ADD COLUMN more integer"]
        if table.startswith(APPEND_ONLY) or table == "booking.migrations":
            column = {"booking.lane_decisions": "verbs", "booking.migrations": "name"}.get(table, "recorded_at")
            statements.append(f"UPDATE {table} SET {column} = {column}")
    statements.append("INSERT INTO booking.migrations (version, name, checksum) VALUES (99, 'more', '')")
    with psycopg.connect(world.conninfo, autocommit=True) as worker:
        codes = {statement: refusal(worker, statement) for statement in statements}
        for statement in ("SELECT FROM booking.order_overview", "SELECT FROM booking.order_history", "SELECT FROM booking.outbox",
                          "UPDATE booking.lanes SET epoch = epoch", "UPDATE booking.orders SET lane = lane"):
            assert refusal(worker, statement) == "00000", statement
    assert {statement: code for statement, code in codes.items() if code != "42501"} == {}
    assert "has what the worker needs, and no more" in world.command("check")


def test_a_canary_in_a_log_is_found(tmp_path):
    (tmp_path / "deep").mkdir()
    log = tmp_path / "deep" / "worker.log"
    look = [sys.executable, canaries.__file__, str(tmp_path)]
    assert subprocess.run(look, capture_output=True, check=False).returncode == 1  # nothing to look through
    log.write_text("all is well\n", encoding="utf-8")
    (log.parent / "00000000000000000042.log").write_bytes(b"a broker's segment: Rotkehlchen")
    assert subprocess.run(look, capture_output=True, check=False).returncode == 0
    log.write_bytes(b"all is well\n\xff msg=x comment=\"Ein Rotkehlchen\"\n")
    try:
        done = subprocess.run(look, capture_output=True, text=True, check=False)
    finally:
        log.unlink()  # the whole suite's logs are looked through in the end
    assert done.returncode == 1 and f"{log}:2" in done.stderr
