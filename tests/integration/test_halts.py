"""Kafka and Postgres lose what they had acknowledged, or change under the worker: the lane halts and says why, the others go on,
and `lanes resume` lets it go on by an explicit verb, with exactly the consequences that the verb names."""
import collections
import json
import pathlib
import shutil
import tempfile

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from topics import INPUTS, create_topics
from world import Actor, server, until

LANES = 2
QUICK = {"worker": {"idle_tick": "300ms"}}


@pytest.fixture
def own_postgres(servers):
    """The shared servers, but a Postgres that the test may stop and put back. Not below pytest's directories: those are root's."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="booking-halts."))
    directory.chmod(0o755)
    try:
        yield servers._replace(directory=directory, postgres=server("start", "postgres", directory))
    finally:
        server("stop", "postgres", directory)
        shutil.rmtree(directory)


def audit_kinds(world):
    """The kinds of what the audit finds, where it finds something."""
    said = world.command("audit", "--json", expect=1)
    return {json.loads(line)["finding"] for line in said.splitlines() if line.startswith("{\"finding\"")}


class Town:
    """A world of two lanes with a placed order in each, and a worker that was stopped when all of it was written and emitted."""

    def __init__(self, world):
        self.world, self.reader = world, world.reader()
        self.admin = AdminClient({"bootstrap.servers": world.servers.kafka})
        self.worker = world.worker("first", **QUICK).wait_ready()
        self.orders = {}
        while len(self.orders) < LANES:
            order = Actor(world)
            order.place()
            ((lane,),) = until("the placement", lambda order=order: world.query("SELECT lane FROM booking.orders WHERE order_id = %s", order.key))
            self.orders.setdefault(lane, order)
        self.rest()

    def rest(self):
        """Until Postgres knows that all is emitted; then the worker is stopped."""
        until("an idle tick", lambda: self.world.query("SELECT count(*) FROM booking.lanes WHERE w_seen < seq") == [(0,)])
        assert self.worker.stop() == 0

    def start(self, name="second", **sections):
        self.worker = self.world.worker(name, **(sections or QUICK))
        return self.worker

    def lane(self, number):
        """One line of `lanes --json`."""
        said = self.world.command("lanes", "show", str(number), "--json", expect=self.shown)
        return json.loads(next(line for line in said.splitlines() if line.startswith("{\"lane\"")))

    def lane_offset(self, lane, column):
        return self.world.query(f"SELECT {column} FROM booking.lanes WHERE lane = %s", lane)[0][0]

    shown = 1  # a halted lane is shown with this exit code

    def stage(self, lane):
        return self.world.query("SELECT stage FROM booking.order_overview WHERE order_id = %s", self.orders[lane].key)[0][0]

    def changes(self, lane):
        return [record.value["to"] for record in self.reader.of("stage-changed", self.orders[lane].key)]

    def wait_halted(self, code, *lanes):
        """Everybody says so: Postgres, the metric, the status page, the log, the list."""
        def halted():
            return self.world.query("SELECT lane FROM booking.lanes_overview WHERE is_halted ORDER BY lane") == [(lane,) for lane in lanes]
        until(f"lanes {lanes} to halt", halted, 60)
        for lane in lanes:
            until("the metric", lambda lane=lane: self.worker.metric("booking_lane_halted", lane=str(lane)) == 1)
            until("the probe to name it", lambda lane=lane: f"lane {lane} is halted: {code}: " in self.worker.get("/readyz?verbose")[1])
            said = self.world.command("lanes", "show", str(lane), expect=1)
            assert f"deploy/runbook/{code}.md" in said, said
            log = self.worker.log.read_text()
            assert f"booking-worker lanes show {lane}" in log and f"deploy/runbook/{code}.md" in log
        assert f": {code}" in self.world.command("lanes", expect=1)

    def refuses(self, lane, *verbs):
        for verb in verbs:
            before = self.world.query("SELECT to_jsonb(l) FROM booking.lanes l WHERE lane = %s", lane)
            assert "refused" in self.world.command("lanes", "resume", str(lane), verb, expect=1)
            assert self.world.query("SELECT to_jsonb(l) FROM booking.lanes l WHERE lane = %s", lane) == before

    def resume(self, lane, *verbs):
        """First only as a rehearsal, then in earnest; until the lane runs."""
        before = self.world.query("SELECT seq, w_seen, halted_at FROM booking.lanes WHERE lane = %s", lane)
        said = self.world.command("lanes", "resume", str(lane), *verbs, "--dry-run")
        assert "Nothing was written" in said
        assert self.world.query("SELECT seq, w_seen, halted_at FROM booking.lanes WHERE lane = %s", lane) == before
        assert self.world.query("SELECT count(*) FROM booking.lane_decisions WHERE lane = %s", lane) == [(0,)]
        self.world.command("lanes", "resume", str(lane), *verbs, "--by", "alice")
        assert self.world.query("SELECT decided_by, verbs FROM booking.lane_decisions WHERE lane = %s", lane) == [("alice", " ".join(verbs))]
        until("the lane to run", lambda: self.worker.metric("booking_lane_running", lane=str(lane)) == 1, 60)
        log = [line for line in self.worker.log.read_text().splitlines() if "an operator's decision" in line]
        assert any("alice: " + " ".join(verbs) in line for line in log), log
        assert self.worker.metric("booking_lane_halted", lane=str(lane)) == 0

    def confirm(self, lane):
        self.orders[lane].provider("ConfirmOrder")

    def wait_stage(self, lane, stage):
        until(f"lane {lane} to bring its order to {stage}", lambda: self.stage(lane) == stage)

    def counts(self):
        """How often each output was seen, by event id."""
        self.reader.read_to_the_end()
        return collections.Counter(record.value["event_id"] for record in self.reader.records)

    def forget_offsets(self, lane):
        """A tool sets the group's offsets of one partition: they have no W any more."""
        places = [TopicPartition(self.world.prefix + suffix, lane, 0) for suffix in INPUTS]
        for future in self.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(self.world.name, places)]).values():
            future.result(timeout=30)

    def recreate(self, *suffixes, partitions=LANES):
        names = [self.world.prefix + suffix for suffix in suffixes]
        for future in self.admin.delete_topics(names, operation_timeout=30).values():
            future.result(timeout=30)
        until("the topics to be gone", lambda: not set(names) & set(self.admin.list_topics(timeout=30).topics))
        create_topics(self.world.servers.kafka, self.world.prefix, partitions)


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
    assert audit_kinds(town.world) == {"history.twice"}, "places of the old topic and of the new one look alike"


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
    assert audit_kinds(town.world) == {"outbox.gap"}, "the batches that Postgres lost"


def test_more_partitions_halt_the_lanes_until_the_old_number_is_back(town):
    for _ in range(8):
        Actor(town.world).place()
    town.start()
    until("ten orders or more", lambda: town.world.query("SELECT count(*) FROM booking.orders")[0][0] >= LANES + 8)
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
