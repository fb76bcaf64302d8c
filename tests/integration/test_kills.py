"""Workers are killed, stopped and started in the middle of the work; nothing is lost, nothing comes twice."""
import os
import random

import load
from expect import check_rows, finish
from world import until

EVENTS = int(os.environ.get("BOOKING_TEST_EVENTS", "12000"))
KILLS = int(os.environ.get("BOOKING_TEST_KILLS", "6"))
EVENTS_PER_ORDER = sum(len(load.LIVES[kind]) for kind in load.MIXED) / len(load.MIXED)


def lives(events):
    return load.make_orders(int(events / EVENTS_PER_ORDER) + 1, load.MIXED, seed=random.randrange(1 << 30))


def seen(reader):
    return len(reader.records)


def test_an_uninterrupted_worker_emits_everything_once(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = lives(5000), world.reader()
    load.play(world.upstream, orders, wave=500)
    worker = world.worker().wait_ready()
    finish(reader, orders)
    check_rows(world, orders)
    assert worker.stop() == 0


def test_a_live_order_s_events_apply_in_the_order_of_the_brokers_timestamps(make_world):
    """Rule T8 at the end of the topics, where one partition's news may overtake another's."""
    world = make_world(policy=load.POLICY)
    orders, reader = lives(6000), world.reader()
    world.worker().wait_ready()
    load.play(world.upstream, orders, wave=40)
    finish(reader, orders, 60)
    check_rows(world, orders)


def test_a_killed_worker_leaves_nothing_out_and_nothing_twice(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = lives(EVENTS), world.reader()
    outputs = sum(sum(order.expected.values()) for order in orders)
    # Small batches and small waves: there is work left for every life of the worker, and each gets something done.
    settings = {"worker": {"batch_events": 20, "unemitted_max": 1}}
    load.play(world.upstream, orders, wave=500)
    worker = world.worker(**settings)
    for number in range(KILLS):
        goal = seen(reader) + (outputs - seen(reader)) // (KILLS + 1 - number)
        reader.wait(f"output {goal} before kill {number + 1}", lambda goal=goal: seen(reader) >= goal, 120)
        worker.kill()
        reader.read_to_the_end()
        assert seen(reader) < outputs, f"kill {number + 1} came when all was done"
        worker.start()
    finish(reader, orders, 180)
    check_rows(world, orders)
    assert worker.stop() == 0
    reader.read_to_the_end()
    finish(reader, orders)


def test_a_worker_killed_while_it_takes_its_lanes_takes_them_again(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = lives(2000), world.reader()
    load.play(world.upstream, orders, wave=500)
    worker = world.worker(worker={"batch_events": 100})
    epoch = 0
    for _ in range(4):
        # As soon as Postgres knows of the new tenure: the claim is being made then.
        epoch = until("a lane to be taken again", lambda last=epoch: max(
            (value for (value,) in world.query("SELECT epoch FROM booking.lanes") if value > last), default=0), 60)
        worker.kill()
        worker.start()
    finish(reader, orders)
    check_rows(world, orders)


def test_two_workers_share_the_lanes_while_one_comes_and_goes(make_world):
    world = make_world(policy=load.POLICY)
    orders, reader = lives(EVENTS), world.reader()
    # Small batches: there is still work for both whenever something happens.
    steady, restless = world.worker("steady", worker={"batch_events": 50}), world.worker("restless", worker={"batch_events": 50})

    def both_run():
        return all(worker.is_running() and worker.metric("booking_lane_running") > 0 for worker in (steady, restless))

    until("both to have lanes", both_run, 60)
    acts = [restless.stop, restless.start, restless.kill, restless.start, restless.kill, restless.start]
    part = len(orders) // len(acts) + 1
    for number, act in enumerate(acts):
        pending = [act]

        def disturb(pending=pending):
            if pending:
                pending.pop()()  # in the middle of what was just produced

        load.converse(world.upstream, reader, orders[number * part:(number + 1) * part], wave=part, after_phase=disturb)
        if act == restless.start:
            until("both to have lanes again", both_run, 60)
    finish(reader, orders, 120)
    check_rows(world, orders)
    until("both to have lanes", both_run, 60)
    assert steady.stop() == 0 and restless.stop() == 0
