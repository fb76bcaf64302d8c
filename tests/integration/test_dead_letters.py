"""Dead letters, found, read, and sent again; and a lane that gets nothing but such records."""
import json
import random
import subprocess
import time

from wire import murmur2_partition, new_id
from world import PROGRAM, Actor, environment, until

INPUTS = ("customer-actions", "provider-actions", "gateway-callbacks", "operator-actions", "rerouted")


def letters(reader):
    """Without the notes of replays."""
    return [seen for seen in reader.of("dead-letters") if "__connect.errors.topic" in seen.headers]


def listed(world, *conditions):
    said = world.command("dead-letters", "list", "--json", *conditions)
    return [json.loads(line) for line in said.splitlines() if line.startswith('{"when"')]


def actor_of_lane(world, lane):
    key = next(key for key in iter(new_id, None) if murmur2_partition(key, world.partitions) == lane)
    return Actor(world, key=key)


def outcomes(world, order):
    return [outcome for (outcome,) in world.query(
        "SELECT outcome FROM booking.order_timeline WHERE order_id = %s ORDER BY recorded_at, line", order.key)]


def test_a_dead_letter_is_found_shown_and_replayed_once(world):
    reader, order, sent = world.reader(), Actor(world), world.reader(suffixes=INPUTS, decode=lambda suffix, data: data)
    world.worker().wait_ready()
    early = order.provider("CancelOrder", reason="ill", headers=[("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    good = order.encode("provider-actions", "MarkDone")[1]
    world.upstream.send("provider-actions", order.key, good[:-3], partition=0)
    world.upstream.send("customer-actions", None, b"hello")
    world.upstream.flush()
    reader.wait("three dead letters", lambda: len(letters(reader)) == 3)

    found = {letter["class"]: letter for letter in listed(world)}
    assert len(listed(world)) == 3 and not any(letter["is_replayed"] for letter in found.values())
    unknown = found["booking.NoSuchOrder"]
    assert unknown["from"]["topic"] == world.prefix + "provider-actions" and unknown["key"] == order.key
    assert listed(world, "--order", order.key, "--reason", "nosuch") == [unknown]
    assert listed(world, "--topic", "customer-actions")[0]["key"] is None
    assert listed(world, "--until", "1h") == [] and len(listed(world, "--since", "1h", "--limit", "2")) == 2
    assert "3 letters" in world.command("dead-letters", "list")

    shown = world.command("dead-letters", "show", unknown["letter"])
    assert early in shown and "readable  by this build: yes" in shown and "action = \"CancelOrder\"" in shown
    torn = next(letter for letter in listed(world, "--topic", "provider-actions") if letter["stage"] == "VALUE_CONVERTER")
    shown = world.command("dead-letters", "show", torn["letter"])
    assert f'order_id = "{order.key}"' in shown and "cannot be read further: " in shown and "00000000  c3 01" in shown
    full = json.loads(world.command("dead-letters", "show", torn["letter"], "--json"))
    assert full["value_hex"] == good[:-3].hex() and full["is_readable"] == "no" and full["fields"][1]["value"] == order.key
    world.command("dead-letters", "show", "3/999999", expect=1)

    said = world.command("dead-letters", "replay", "--dry-run", "--reason", "NoSuchOrder")
    assert f"{world.prefix}provider-actions/{murmur2_partition(order.key, world.partitions)}" in said and "1 would be" in said
    order.place()
    reader.wait("the placement", lambda: reader.of("stage-changed", order.key))
    assert "1 were sent again" in world.command("dead-letters", "replay", unknown["letter"])
    reader.wait("the cancellation", lambda: len(reader.of("stage-changed", order.key)) == 2)
    for words in (("replay", unknown["letter"]), ("replay", "--reason", "NoSuchOrder")):
        assert "0 were sent again; 1 were replayed before" in world.command("dead-letters", *words)
    sent.read_to_the_end()
    copies = [seen for seen in sent.records if "booking-replay-of" in seen.headers]
    assert [(seen.suffix, seen.key, seen.headers["booking-replay-of"]) for seen in copies] == [
        ("provider-actions", order.key, unknown["letter"])]
    assert not any(name.startswith("__connect") for name in copies[0].headers) and "traceparent" in copies[0].headers
    assert outcomes(world, order).count("applied") == 2
    assert [letter["letter"] for letter in listed(world) if letter["is_replayed"]] == [unknown["letter"]]
    assert len(listed(world, "--open")) == 2

    # What is still bad becomes a dead letter again, a new one that can be replayed on its own; the other remains as it is.
    assert "1 were sent again" in world.command("dead-letters", "replay", torn["letter"])
    reader.wait("the fourth dead letter", lambda: len(letters(reader)) == 4)
    again = listed(world, "--open", "--topic", "provider-actions")
    assert [letter["class"] for letter in again] == ["booking.UnreadableValue"]
    assert again[0]["from"]["partition"] == murmur2_partition(order.key, world.partitions)
    assert "1 were sent again" in world.command("dead-letters", "replay", "--topic", "provider-actions")
    reader.wait("the fifth dead letter", lambda: len(letters(reader)) == 5)


def test_a_large_replay_asks_and_is_all_or_nothing(world):
    reader, orders = world.reader(), [Actor(world) for _ in range(120)]
    worker = world.worker(breaker={"dead_letters_percent": 0}).wait_ready()
    for order in orders:
        _, data = order.encode("provider-actions", "ConfirmOrder")
        world.upstream.send("provider-actions", order.key, data)
    world.upstream.flush()
    reader.wait("120 dead letters", lambda: len(letters(reader)) == 120, 60)
    assert worker.stop() == 0
    assert "--yes" in world.command("dead-letters", "replay", expect=1)
    assert len(listed(world, "--open")) == 120
    assert "50 were sent again; there are more" in world.command("dead-letters", "replay", "--limit", "50", "--yes")
    assert "70 were sent again; 50 were replayed before" in world.command("dead-letters", "replay", "--yes")
    assert listed(world, "--open") == []
    assert "booking-worker dead-letters: " in world.command("dead-letters", "list", expect=69, config=world.configuration(
        kafka={"bootstrap_servers": "127.0.0.1:1"}))


def test_runs_at_a_time_and_killed_ones_send_each_letter_once(world):
    reader, keys = world.reader(), [new_id() for _ in range(80)]
    worker = world.worker(breaker={"dead_letters_percent": 0}).wait_ready()
    for key in keys:
        world.upstream.send("customer-actions", key, b"garbage of " + key.encode())
    world.upstream.flush()
    reader.wait("80 dead letters", lambda: len(letters(reader)) == 80, 60)
    assert worker.stop() == 0  # what is sent again stays what it is
    config = world.directory / "replay.yaml"
    config.write_text(json.dumps(world.configuration()), encoding="utf-8")
    numbers, endings = random.Random(5), []
    for _ in range(4):
        runs = [subprocess.Popen([PROGRAM, "dead-letters", "--config", config, "replay", "--limit", "20"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=environment()) for _ in range(2)]
        if numbers.random() < 0.5:
            time.sleep(numbers.random())
            runs[0].kill()
        endings += [run.wait(90) for run in runs]
    assert 0 in endings and set(endings) <= {0, 1, 69, -9}, endings
    until("no more letters", lambda: "0 were sent again" in world.command("dead-letters", "replay"), 60)
    sent = world.reader(suffixes=INPUTS, decode=lambda suffix, data: data)
    sent.read_to_the_end()
    copies = [seen for seen in sent.records if "booking-replay-of" in seen.headers]
    assert sorted(seen.key for seen in copies) == sorted(keys)
    assert all(seen.raw == b"garbage of " + seen.key.encode() and seen.partition == murmur2_partition(seen.key, world.partitions)
               for seen in copies)


def test_a_flood_of_garbage_pauses_its_lane_alone_and_nothing_is_lost(world):
    reader = world.reader()
    worker = world.worker(breaker={"records": 50, "pause": "4s", "pause_max": "4s"}).wait_ready()
    paused, other = actor_of_lane(world, 0), actor_of_lane(world, 1)
    for _ in range(60):
        world.upstream.send("customer-actions", paused.key, b"garbage", partition=0)
    world.upstream.flush()
    until("lane 0 to pause", lambda: worker.metric("booking_lane_paused", lane="0") == 1)
    begun = time.monotonic()
    status, _ = until("the page to say so", lambda: (page := worker.get("/readyz?verbose")) and "1 paused" in page[1] and page)
    assert status == 200 and "lane paused" in worker.log.read_text(encoding="utf-8")
    reader.wait("the share", lambda: len(letters(reader)) >= 25)
    paused.place()
    other.place()
    reader.wait("an order of another lane", lambda: reader.of("stage-changed", other.key))
    if time.monotonic() - begun < 3:  # else the machine was too slow to tell
        assert len(letters(reader)) == 25 and not reader.of("stage-changed", paused.key)
    reader.wait("all of the flood, in trials", lambda: len(letters(reader)) == 60, 60)
    reader.wait("the order behind it", lambda: reader.of("stage-changed", paused.key), 60)
    until("lane 0 to go on", lambda: worker.metric("booking_lane_paused", lane="0") == 0)
    assert worker.metric("booking_dead_letters_total") == 60
    assert worker.stop() == 0
    reader.read_to_the_end()
    assert len(letters(reader)) == 60 and outcomes(world, paused) == ["applied"]
