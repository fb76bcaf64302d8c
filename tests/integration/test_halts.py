"""Kafka and Postgres lose what they had acknowledged, or change under the worker: the lane halts and says why, the others go on,
and `lanes resume` lets it go on by an explicit verb, with exactly the consequences that the verb names."""
import json
import shutil

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions

from topics import INPUTS
from town import LANES, QUICK, Town, audit_kinds, audit_notes
from wire import murmur2_partition, new_id
from world import Actor, server, until


@pytest.fixture
def town(make_world):
    return Town(make_world(partitions=LANES))


def test_records_that_were_deleted_unread_are_let_go_by_accept_loss(town):
    for lane in range(LANES):
        town.confirm(lane)
    place = TopicPartition(town.world.prefix + "provider-actions", 0, -1)  # all that there is
    for future in town.admin.delete_records([place]).values():
        future.result(timeout=30)
    town.start()
    town.wait_halted("records-gone", 0)
    town.wait_stage(1, "PAYMENT")
    assert town.lane(0)["found"] == ["records-gone"]
    town.refuses(0, "--after-repair", "--accept-repetition", "--accept-emitted", "--accept-unemitted", "--accept-new-topic")
    assert "not halted" in town.world.command("lanes", "resume", "1", "--accept-loss", expect=1)
    town.resume(0, "--accept-loss")
    assert town.stage(0) == "CONFIRMATION"
    town.confirm(0)
    town.wait_stage(0, "PAYMENT")
    town.rest()
    assert set(town.counts().values()) == {1}
    town.world.command("audit")


def test_a_topic_that_was_made_anew_is_read_by_accept_new_topic(town):
    town.start()
    town.confirm(0)
    town.wait_stage(0, "PAYMENT")
    town.rest()
    town.recreate("provider-actions")
    town.start("third")
    town.wait_halted("topic-recreated", 0)
    town.confirm(1)
    town.wait_stage(1, "PAYMENT")
    assert town.lane(0)["found"] == ["topic-recreated"]
    town.refuses(0, "--after-repair", "--accept-loss", "--accept-repetition")
    town.resume(0, "--accept-new-topic")
    town.orders[0].provider("CancelOrder", reason="ill")
    town.wait_stage(0, "CANCELLED")
    town.rest()
    assert set(town.counts().values()) == {1}
    assert audit_notes(town.world) == {"history.twice"}, "places of the old topic and of the new one look alike"
    # The same place once more is of the new topic alone.
    town.world.query("INSERT INTO booking.order_history SELECT * FROM booking.order_history WHERE order_id = %s AND kind = 'CancelOrder' RETURNING 1",
                     town.orders[0].key)
    assert "history.twice" in audit_kinds(town.world)


def test_a_topic_that_was_made_anew_and_is_as_long_as_the_old_one_is_noticed(town):
    """Its end tells nothing. But Kafka has dropped the group's offset with the old topic."""
    town.start()
    town.confirm(0)
    town.wait_stage(0, "PAYMENT")
    town.rest()
    town.recreate("provider-actions")
    for _ in range(3):
        town.orders[0].provider("CancelOrder", reason="ill")
    town.start("third")
    town.wait_halted("topic-recreated", 0)
    assert town.lane(0)["found"] == ["topic-recreated"]
    town.refuses(0, "--after-repair", "--accept-loss")
    town.resume(0, "--accept-new-topic")
    town.wait_stage(0, "CANCELLED")
    until("all three to be read", lambda: town.lane_offset(0, "provider_actions") == 3)
    town.rest()
    assert set(town.counts().values()) == {1}


def leave_in_doubt(town):
    """The last batch of each lane is emitted, and Postgres was not told."""
    town.start(worker={"idle_tick": "1h"})
    for lane in range(LANES):
        town.confirm(lane)
    for lane in range(LANES):
        town.reader.wait("the confirmation", lambda lane=lane: town.changes(lane) == ["CONFIRMATION", "PAYMENT"])
    assert town.worker.stop() == 0
    assert town.world.query("SELECT count(*) FROM booking.lanes WHERE w_seen < seq") == [(LANES,)]


def test_a_lost_w_is_taken_for_emitted_by_accept_emitted(town):
    leave_in_doubt(town)
    town.forget_offsets(0)
    town.start("third")
    town.wait_halted("w-lost", 0)
    town.orders[1].customer("CancelOrder", reason="ill")
    town.wait_stage(1, "CANCELLED")
    assert town.lane(0)["found"] == ["w-lost"]
    town.refuses(0, "--after-repair", "--accept-repetition", "--accept-loss")
    town.resume(0, "--accept-emitted")
    town.orders[0].customer("CancelOrder", reason="ill")
    town.wait_stage(0, "CANCELLED")
    town.rest()
    assert set(town.counts().values()) == {1}
    town.world.command("audit")


def test_a_group_that_expired_has_all_in_doubt_emitted_again_by_accept_unemitted(town):
    leave_in_doubt(town)
    for future in town.admin.delete_consumer_groups([town.world.name]).values():
        future.result(timeout=30)
    before = town.counts()
    town.start("third")
    town.wait_halted("w-lost", 0, 1)
    town.resume(0, "--accept-unemitted")
    town.resume(1, "--accept-emitted")
    for lane in range(LANES):
        town.orders[lane].customer("CancelOrder", reason="ill")
        town.wait_stage(lane, "CANCELLED")
    town.rest()
    after = town.counts()
    again = {event_id for event_id, count in after.items() if count == 2}
    of_lane_0 = {record.value["event_id"] for record in town.reader.by_order[town.orders[0].key]}
    assert again and again <= of_lane_0 and again <= set(before), "only what was in doubt in lane 0 comes again"
    assert max(after.values()) == 2
    assert town.changes(0) == ["CONFIRMATION", "PAYMENT", "PAYMENT", "CANCELLED"]
    assert town.changes(1) == ["CONFIRMATION", "PAYMENT", "CANCELLED"]
    town.world.command("audit")


def test_a_restored_postgres_decides_again_by_accept_repetition(own_postgres, make_world):
    town = Town(make_world(on=own_postgres, partitions=LANES))
    data, backup = own_postgres.directory / "postgres" / "data", own_postgres.directory / "backup"
    server("stop", "postgres", own_postgres.directory)
    shutil.copytree(data, backup)
    owner = data.stat()
    server("start", "postgres", own_postgres.directory)
    town.start()
    town.confirm(0)
    town.wait_stage(0, "PAYMENT")
    town.rest()
    before = town.counts()
    server("stop", "postgres", own_postgres.directory)
    shutil.rmtree(data)
    backup.rename(data)
    for path in (data, *data.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    server("start", "postgres", own_postgres.directory)
    assert town.stage(0) == "CONFIRMATION", "Postgres is to have forgotten"

    town.start("third")
    town.wait_halted("postgres-behind", 0)
    town.confirm(1)
    town.wait_stage(1, "PAYMENT")
    assert town.lane(0)["found"] == ["postgres-behind"]
    town.refuses(0, "--after-repair", "--accept-emitted", "--accept-unemitted", "--accept-loss")
    town.resume(0, "--accept-repetition")
    town.wait_stage(0, "PAYMENT")
    town.reader.wait("the repetition", lambda: town.changes(0) == ["CONFIRMATION", "PAYMENT", "PAYMENT"])
    town.orders[0].customer("CancelOrder", reason="ill")
    town.wait_stage(0, "CANCELLED")
    town.rest()
    after = town.counts()
    assert all(after[event_id] <= 2 for event_id in after)
    assert {event_id for event_id, count in after.items() if count == 2} <= set(before), "a repetition has the id that it had"
    assert audit_notes(town.world) == {"outbox.gap"}, "the batches that Postgres lost"


def test_more_partitions_halt_the_lanes_until_the_old_number_is_back(town):
    for lane in range(LANES):  # in each lane an order that the new number puts elsewhere: ids that come as they come may all stay
        key = next(key for key in iter(new_id, None) if murmur2_partition(key, LANES) == lane != murmur2_partition(key, LANES + 1))
        Actor(town.world, key=key).place()
    town.start()
    until("both to be written", lambda: town.world.query("SELECT count(*) FROM booking.orders") == [(len(town.actors) + LANES,)])
    town.rest()
    more = [NewPartitions(town.world.prefix + suffix, LANES + 1) for suffix in INPUTS]
    for future in town.admin.create_partitions(more[:1]).values():
        future.result(timeout=30)
    town.start("third")
    text = until("a reason on /readyz", lambda: next(
        (text for status, text in [town.worker.get("/readyz?verbose")] if status == 503 and "equal partition counts" in text), None))
    assert "customer-actions 3" in text and "partition-count.md" in town.worker.log.read_text()
    assert town.worker.stop() == 0
    for future in town.admin.create_partitions(more[1:]).values():
        future.result(timeout=30)
    town.start("fourth")
    town.wait_halted("partition-count", 0, 1)
    assert "partition-count" in town.lane(0)["found"]
    town.refuses(0, "--after-repair", "--accept-new-topic", "--accept-loss")
    assert town.worker.stop() == 0

    town.recreate(*INPUTS)
    town.start("fifth")
    town.wait_halted("partition-count", 0, 1)
    for lane in range(LANES):
        assert town.lane(lane)["found"] == ["topic-recreated"]
        town.resume(lane, "--accept-new-topic")
        town.confirm(lane)
        town.wait_stage(lane, "PAYMENT")
    town.rest()
    assert set(town.counts().values()) == {1}


def test_lanes_says_how_all_stand_and_what_it_cannot_know(town):
    said = town.world.command("lanes")
    assert len([line for line in said.splitlines() if line.endswith(" ok")]) == LANES
    lines = [json.loads(line) for line in town.world.command("lanes", "--json").splitlines()]
    assert [line["lane"] for line in lines] == list(range(LANES))
    for line in lines:
        assert line["w"] == line["w_seen"] == line["seq"] > 0 and line["lag_records"] == 0 and not line["is_halted"]
        assert line["topics"]["customer-actions"]["next"] == line["topics"]["customer-actions"]["end"] > 0
    town.confirm(0)
    lagging = json.loads(town.world.command("lanes", "show", "0", "--json"))
    assert lagging["lag_records"] == 1 and lagging["found"] == []
    assert "ever taken a lane 77" in town.world.command("lanes", "show", "77", expect=1)

    away = town.world.configuration(kafka={"bootstrap_servers": "127.0.0.1:1"})
    said = town.world.command("lanes", config=away, expect=69)
    assert "Kafka" in said and len([line for line in said.splitlines() if line.endswith(" ok")]) == LANES
    town.world.query("UPDATE booking.lanes SET halted_at = now(), halt_reason = 'by hand' WHERE lane = 0 RETURNING lane")
    assert "Kafka" in town.world.command("lanes", "resume", "0", "--after-repair", config=away, expect=69)
    away = town.world.configuration(postgres={"conninfo": "host=127.0.0.1 port=1 user=nobody dbname=x"})
    assert "Postgres" in town.world.command("lanes", config=away, expect=69)
    assert town.world.query("SELECT count(*) FROM booking.lane_decisions") == [(0,)]
    town.start()
    until("the lane to be halted", lambda: town.worker.metric("booking_lane_halted", lane="0") == 1)
    town.resume(0, "--after-repair")
    town.wait_stage(0, "PAYMENT")


def test_a_batch_that_is_gone_comes_back_from_a_backup_or_counts_as_emitted(town):
    batch = town.leave_unemitted(0, lambda: town.confirm(0))
    town.delete_batch(batch)
    town.start("third")
    town.wait_halted("outbox-gone", 0)
    town.confirm(1)
    town.wait_stage(1, "PAYMENT")
    assert town.lane(0)["found"] == ["outbox-gone"]
    assert f"1 batches up to {batch[1]} are not there" in town.world.command("lanes", "show", "0", expect=1)
    town.refuses(0, "--after-repair", "--accept-unemitted", "--accept-repetition", "--accept-loss")
    town.restore_batch(batch)
    town.refuses(0, "--accept-emitted")
    town.resume(0, "--after-repair")
    town.reader.wait("what was held up", lambda: town.changes(0) == ["CONFIRMATION", "PAYMENT"])
    town.rest()
    assert town.harm() == {}
    town.world.command("audit")

    batch = town.leave_unemitted(0, town.orders[0].pay)
    town.delete_batch(batch)
    town.start("fifth")
    town.wait_halted("outbox-gone", 0)
    town.resume(0, "--accept-emitted")
    assert audit_notes(town.world) == {"outbox.gap", "outbox.missing"}, "it is the newest"
    town.orders[0].customer("CancelOrder", reason="ill")
    town.wait_stage(0, "CANCELLED")
    town.rest()
    town.reader.read_to_the_end()
    assert town.changes(0) == ["CONFIRMATION", "PAYMENT", "CANCELLED"], "that it was paid is told nobody"
    assert set(town.counts().values()) == {1}

    assert audit_notes(town.world) == {"outbox.gap"}
    said = town.world.command("audit")
    assert "note outbox.gap lane=0" in said and "explained by the decision of alice at 20" in said and "--accept-emitted" in said
    said = town.world.command("audit", "--order", town.orders[0].key)
    assert said.count(f"note outbox.missing order={town.orders[0].key} lane=0 seq={batch[1]} ") == 1
    # With a neighbour that went missing later, each is told from the other.
    assert town.world.query("DELETE FROM booking.outbox WHERE lane = 0 AND seq = %s RETURNING lane", batch[1] - 1) == [(0,)]
    said = town.world.command("audit", expect=1)
    assert f"outbox.gap lane=0 seq={batch[1] + 1} batches before it: {batch[1] - 1} to {batch[1] - 1} are not there\n" in said
    assert f"note outbox.gap lane=0 seq={batch[1] + 1} batches before it: {batch[1]} to {batch[1]} are not there; explained" in said


def test_a_batch_that_is_torn_comes_back_from_a_backup_or_is_given_up(town):
    batch = town.leave_unemitted(0, lambda: town.confirm(0))
    assert town.world.query("UPDATE booking.outbox SET data = substr(data, 1, octet_length(data) - 9) WHERE lane = 0 AND seq = %s RETURNING lane",
                            batch[1]) == [(0,)]
    town.start("third")
    town.wait_halted("outputs-refused", 0)
    assert "an outbox batch is torn" in town.world.command("lanes", "show", "0", expect=1)
    town.orders[1].provider("MarkDone")  # is refused, and says so
    town.reader.wait("the other lane to go on", lambda: town.reader.of("rejections", town.orders[1].key))
    assert town.lane(0)["found"] == []
    town.refuses(0, "--accept-emitted", "--accept-unemitted", "--accept-repetition")
    assert "outbox.unread" in audit_kinds(town.world)
    town.delete_batch(batch)
    assert town.lane(0)["found"] == ["outbox-gone"]
    assert "w_seen" in town.world.command("lanes", "resume", "0", "--accept-emitted", "--dry-run")
    town.restore_batch(batch)
    town.resume(0, "--after-repair")
    town.reader.wait("what was held up", lambda: town.changes(0) == ["CONFIRMATION", "PAYMENT"])
    town.rest()
    assert town.harm() == {}
    town.world.command("audit")


def test_outputs_beyond_a_topics_limit_wait_until_it_is_raised(town):
    town.limit("rejections", 200)  # below that the brokers could not even end a transaction
    town.orders[0].provider("MarkDone")
    town.confirm(1)
    town.start()  # both lanes' outputs go into one transaction at first
    town.wait_halted("outputs-refused", 0)
    assert "Message size too large" in town.world.command("lanes", "show", "0", expect=1)
    town.reader.wait("the other lane's outputs", lambda: town.changes(1) == ["CONFIRMATION", "PAYMENT"])
    assert "max.message.bytes=200 is below kafka.message_max" in town.world.command("check", expect=78)
    assert town.lane(0)["found"] == []
    town.refuses(0, "--accept-emitted", "--accept-unemitted", "--accept-loss")
    town.limit("rejections", 1048588)
    town.resume(0, "--after-repair")
    town.reader.wait("what was held up", lambda: town.reader.of("rejections", town.orders[0].key))
    town.confirm(0)
    town.wait_stage(0, "PAYMENT")
    town.rest()
    assert town.harm() == {}
    town.world.command("audit")


def test_outputs_to_a_topic_that_is_gone_wait_until_it_is_back(make_world):
    """No halt: whoever makes the topic again need do nothing else."""
    town = Town(make_world(partitions=LANES), suffixes=["stage-changed"])
    town.start(kafka={"transaction_timeout": "5s"}, **QUICK).wait_ready()
    town.delete_topics("rejections")
    town.orders[0].provider("MarkDone")
    town.confirm(1)
    town.reader.wait("the other lane's outputs", lambda: town.changes(1) == ["CONFIRMATION", "PAYMENT"])
    until("a word about the topic", lambda: f"{town.world.prefix}rejections/-1 was not delivered: Broker: Unknown topic" in town.worker.log.read_text())
    assert town.world.query("SELECT count(*) FROM booking.lanes WHERE halted_at IS NOT NULL") == [(0,)]
    town.create_topics()
    town.reader = town.world.reader()
    town.reader.wait("what waited", lambda: town.reader.of("rejections", town.orders[0].key))
    town.rest()
    assert town.harm() == {}
    town.world.command("audit")


def test_an_order_that_is_damaged_comes_back_from_a_backup(town):
    key = town.orders[0].key
    for times, damage, says, finding in ((1, lambda state: state[:40], f"order {key} cannot be read", "row.state"),
                                         (2, lambda state: state.replace(b"Europe/Berlin", b"Europe/Merlin"), "time zone Europe/Merlin", "row.columns")):
        (good,), = town.world.query("SELECT state FROM booking.orders WHERE order_id = %s", key)
        assert town.world.query("UPDATE booking.orders SET state = %s WHERE order_id = %s RETURNING state", damage(good), key) != [(good,)]
        town.start(f"damaged-{times}")
        town.orders[0].provider("MarkDone")  # is refused
        town.wait_halted("order-unreadable", 0)
        assert says in town.world.command("lanes", "show", "0", expect=1)
        town.orders[1].provider("MarkDone")
        town.reader.wait("the other lane to go on", lambda times=times: len(town.reader.of("rejections", town.orders[1].key)) == times)
        town.refuses(0, "--accept-loss", "--accept-emitted", "--accept-repetition")
        assert finding in audit_kinds(town.world, "--order", key)
        town.world.query("UPDATE booking.orders SET state = %s WHERE order_id = %s RETURNING 1", good, key)
        town.resume(0, "--after-repair")
        town.reader.wait("what was held up", lambda times=times: len(town.reader.of("rejections", key)) == times)
        town.rest()
    town.start("last")
    for lane in range(LANES):
        town.confirm(lane)
        town.wait_stage(lane, "PAYMENT")
    town.rest()
    assert town.harm() == {}
    town.world.command("audit")


def test_a_table_that_was_changed_by_hand_halts_the_lane_that_it_refuses(town):
    town.alter("booking.orders", f"ADD CONSTRAINT by_hand CHECK (order_id <> '{town.orders[0].key}' OR stage < 2) NOT VALID")
    town.start()
    for lane in range(LANES):
        town.confirm(lane)
    town.wait_halted("postgres-refuses", 0)
    said = town.world.command("lanes", "show", "0", expect=1)
    assert "by_hand" in said and "[23514]" in said
    town.wait_stage(1, "PAYMENT")
    assert town.lane(0)["found"] == []
    town.refuses(0, "--accept-loss", "--accept-emitted", "--accept-repetition")
    town.alter("booking.orders", "DROP CONSTRAINT by_hand")
    town.resume(0, "--after-repair")
    town.wait_stage(0, "PAYMENT")
    town.rest()
    assert town.harm() == {}
    town.world.command("audit")


def test_records_that_are_damaged_on_the_brokers_disk_are_mended_or_deleted(town):
    for reason in ("mended", "deleted"):
        if reason == "mended":
            town.confirm(0)
        else:
            town.orders[0].customer("CancelOrder", reason="ill")
        suffix = {"mended": "provider-actions", "deleted": "customer-actions"}[reason]
        town.flip_last_byte(suffix, 0)
        town.start(reason)
        town.wait_halted("batch-unreadable", 0)
        town.confirm(1)  # the second time it is refused
        town.wait_stage(1, "PAYMENT")
        town.refuses(0, "--accept-loss", "--accept-new-topic", "--accept-emitted")
        if reason == "mended":
            town.flip_last_byte(suffix, 0)
            town.resume(0, "--after-repair")
            town.wait_stage(0, "PAYMENT")
            town.rest()
            assert town.harm() == {}
    place = TopicPartition(town.world.prefix + "customer-actions", 0, -1)
    for future in town.admin.delete_records([place]).values():
        future.result(timeout=30)
    assert town.lane(0)["found"] == ["records-gone"]
    town.resume(0, "--accept-loss")
    town.orders[0].customer("CancelOrder", reason="ill")
    town.wait_stage(0, "CANCELLED")
    town.rest()
    assert town.harm() == {"lost": 1}, "one event has no outcome: the one that was deleted"
    town.world.command("audit")
