"""A worker that is to leave and cannot finish: it goes all the same, and loses nothing."""
import contextlib
import signal

import load
import psycopg
from expect import check_rows, finish
from world import until

AWAY = 69


@contextlib.contextmanager
def writes_that_hang(world):
    """No write gets through, until the end of the block."""
    with psycopg.connect(world.admin_conninfo) as locker:
        locker.execute("LOCK TABLE booking.orders IN ACCESS EXCLUSIVE MODE")
        yield


def begin_what_hangs(world, orders, worker):
    """Sends orders and waits until a write of theirs is under way."""
    load.play(world.upstream, orders, wave=100)
    until("a write to wait for the lock", lambda: world.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))
    worker.process.send_signal(signal.SIGTERM)
    until("the worker to say that it leaves", lambda: '"leaving"' in worker.tail())
    assert worker.is_running()


def test_a_second_sigterm_ends_a_worker_at_once_and_loses_nothing(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = load.make_orders(300, load.MIXED), world.reader()
    worker = world.worker(worker={"shutdown": "60s"}).wait_ready()
    with writes_that_hang(world):
        begin_what_hangs(world, orders, worker)
        assert worker.stop(5) == 128 + signal.SIGTERM
    worker.start()
    finish(reader, orders)
    check_rows(world, orders)
    assert worker.stop() == 0


def test_a_worker_that_cannot_finish_leaves_when_its_time_is_over(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = load.make_orders(300, load.MIXED), world.reader()
    worker = world.worker(worker={"shutdown": "2s"}).wait_ready()
    with writes_that_hang(world):
        begin_what_hangs(world, orders, worker)
        assert worker.process.wait(30) == AWAY
    worker.start()
    finish(reader, orders)
    check_rows(world, orders)
    assert worker.stop() == 0
