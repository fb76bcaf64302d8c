"""A small world whose lanes are halted, and all that has to be seen then; for test_halts.py."""
import collections
import json
import os

import evidence
import psycopg
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from topics import INPUTS, create_topics
from world import Actor, until

LANES = 2
QUICK = {"worker": {"idle_tick": "300ms"}}


def audit_kinds(world, *words):
    """The kinds of what the audit finds, where it finds something."""
    said = world.command("audit", "--json", *words, expect=1)
    return {json.loads(line)["finding"] for line in said.splitlines() if line.startswith("{\"finding\"")}


def audit_notes(world, by="alice"):
    """The kinds of what the audit explains by decisions, where it finds nothing."""
    lines = [json.loads(line) for line in world.command("audit", "--json").splitlines() if line.startswith("{")]
    assert all(line["decision"]["by"] == by for line in lines)
    return {line["note"] for line in lines}


class Town:
    """A world of two lanes with a placed order in each, and a worker that was stopped when all of it was written and emitted."""

    def __init__(self, world, **reader):
        self.world, self.reader = world, world.reader(**reader)
        self.admin = AdminClient({"bootstrap.servers": world.servers.kafka})
        self.worker = world.worker("first", **QUICK).wait_ready()
        self.orders, self.actors = {}, []
        while len(self.orders) < LANES:
            order = Actor(world)
            order.place()
            self.actors.append(order)
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
        """As `lanes show` proposes it: first only as a rehearsal, then in earnest; until the lane runs."""
        shown = self.world.command("lanes", "show", str(lane), expect=1)
        assert any(f"lanes resume {lane} " in line and line.endswith(" " + " ".join(verbs)) for line in shown.splitlines()), shown
        before = self.world.query("SELECT seq, w_seen, halted_at FROM booking.lanes WHERE lane = %s", lane)
        decisions = self.decisions(lane)
        said = self.world.command("lanes", "resume", str(lane), *verbs, "--dry-run")
        assert "Nothing was written" in said
        assert self.world.query("SELECT seq, w_seen, halted_at FROM booking.lanes WHERE lane = %s", lane) == before
        assert self.decisions(lane) == decisions
        self.world.command("lanes", "resume", str(lane), *verbs, "--by", "alice")
        assert self.decisions(lane) == [*decisions, ("alice", " ".join(verbs))]
        until("the lane to run", lambda: self.worker.metric("booking_lane_running", lane=str(lane)) == 1, 60)
        log = [line for line in self.worker.log.read_text().splitlines() if "an operator's decision" in line]
        assert any("alice: " + " ".join(verbs) in line for line in log), log
        assert self.worker.metric("booking_lane_halted", lane=str(lane)) == 0

    def decisions(self, lane):
        return self.world.query("SELECT decided_by, verbs FROM booking.lane_decisions WHERE lane = %s ORDER BY number", lane)

    def confirm(self, lane):
        self.orders[lane].provider("ConfirmOrder")

    def wait_stage(self, lane, stage):
        until(f"lane {lane} to bring its order to {stage}", lambda: self.stage(lane) == stage)

    def counts(self):
        """How often each output was seen, by event id."""
        self.reader.read_to_the_end()
        return collections.Counter(record.value["event_id"] for record in self.reader.records)

    def leave_unemitted(self, lane, act):
        """What `act` causes is in Postgres, as the outbox batch that is returned; its worker was killed before it could emit it."""
        self.start(f"dying-{len(self.world.workers)}").wait_ready()
        with psycopg.connect(self.world.admin_conninfo) as holder:
            holder.execute("LOCK TABLE booking.outbox IN SHARE MODE")
            act()
            # The whole pipeline is with the server by then, which goes on to its COMMIT without a client.
            until("the batch to wait at the outbox", lambda: self.world.query(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'booking-worker' AND wait_event_type = 'Lock'"))
            self.worker.kill()
        return until("a batch that was not emitted", lambda: self.world.query(
            "SELECT o.* FROM booking.outbox o JOIN booking.lanes l ON o.lane = l.lane AND o.seq = l.seq WHERE l.lane = %s AND l.seq > l.w_seen", lane))[0]

    def delete_batch(self, batch):
        assert self.world.query("DELETE FROM booking.outbox WHERE recorded_at = %s AND seq = %s AND lane = %s RETURNING seq", *batch[:3]) == [(batch[1],)]

    def restore_batch(self, batch):
        self.world.query("INSERT INTO booking.outbox VALUES (%s, %s, %s, %s, %s) RETURNING 1", *batch)

    def harm(self):
        """What the checker finds, by kind."""
        sent = [event_id for actor in self.actors for event_id in actor.sent]
        self.reader.read_to_the_end()
        return dict(evidence.check(self.world, sent, [evidence.log_of(self.reader)]).counts)

    def limit(self, suffix, size_bytes):
        """A topic's max.message.bytes."""
        entry = ConfigEntry("max.message.bytes", str(size_bytes), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.world.prefix + suffix, incremental_configs=[entry])
        for future in self.admin.incremental_alter_configs([resource]).values():
            future.result(timeout=30)

    def alter(self, table, how):
        with psycopg.connect(self.world.admin_conninfo, autocommit=True) as admin:
            admin.execute(f"ALTER TABLE {table} {how}")

    def flip_last_byte(self, suffix, lane):
        """Of the newest record of a partition, on the broker's disk."""
        path = self.world.servers.directory / "kafka" / "data" / f"{self.world.prefix}{suffix}-{lane}" / f"{0:020}.log"
        with path.open("r+b") as log:
            log.seek(-1, os.SEEK_END)
            byte = log.read(1)[0]
            log.seek(-1, os.SEEK_END)
            log.write(bytes([byte ^ 1]))

    def forget_offsets(self, lane):
        """A tool sets the group's offsets of one partition: they have no W any more."""
        places = [TopicPartition(self.world.prefix + suffix, lane, 0) for suffix in INPUTS]
        for future in self.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(self.world.name, places)]).values():
            future.result(timeout=30)

    def delete_topics(self, *suffixes):
        names = [self.world.prefix + suffix for suffix in suffixes]
        for future in self.admin.delete_topics(names, operation_timeout=30).values():
            future.result(timeout=30)
        until("the topics to be gone", lambda: not set(names) & set(self.admin.list_topics(timeout=30).topics))

    def create_topics(self):
        """Those that are missing."""
        create_topics(self.world.servers.kafka, self.world.prefix, LANES)

    def recreate(self, *suffixes):
        self.delete_topics(*suffixes)
        self.create_topics()
