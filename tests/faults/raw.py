"""Kafka's requests one by one, at the versions that librdkafka 2.0.2 speaks: what no client sends by itself, late copies, old
epochs and generations, members that are made up. What is answered is the broker's error by its name, or "success"."""
import copy
import socket
import struct

from kafka import errors
from kafka.protocol.admin import DescribeTransactionsRequest
from kafka.protocol.consumer import HeartbeatRequest, JoinGroupRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment, ConsumerProtocolSubscription
from kafka.protocol.metadata import FindCoordinatorRequest
from kafka.protocol.producer import (AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, EndTxnResponse,
                                     InitProducerIdRequest, ProduceRequest, TxnOffsetCommitRequest, TxnOffsetCommitResponse)
from kafka.record.memory_records import MemoryRecordsBuilder

from world import until

# The transactional ones are those of before KIP-890 part 2, in which EndTxn does not raise the epoch.
VERSIONS = {InitProducerIdRequest: 4, AddPartitionsToTxnRequest: 0, AddOffsetsToTxnRequest: 0, TxnOffsetCommitRequest: 3,
            EndTxnRequest: 1, ProduceRequest: 7, OffsetFetchRequest: 7, OffsetCommitRequest: 7, JoinGroupRequest: 5,
            SyncGroupRequest: 3, HeartbeatRequest: 3, FindCoordinatorRequest: 2, DescribeTransactionsRequest: 0}
GOOD, BUSY = "success", "CONCURRENT_TRANSACTIONS"
NOT_YET = (BUSY, "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS")
NO_GENERATION, NOBODY = -1, ""
PATIENCE_S = 30


def named(code):
    return GOOD if code == 0 else errors.for_code(code).message


def answer_to(request, answer):
    """What a broker said to EndTxn or TxnOffsetCommit, both as they were on the wire; None is silence."""
    if answer is None:
        return "silence"
    key, version = struct.unpack_from(">hh", request, 4)
    kind = {one.API_KEY: one for one in (EndTxnResponse, TxnOffsetCommitResponse)}[key]
    said = kind.decode(answer, version=version, header=True, framed=True)
    codes = {said.error_code} if key == EndTxnResponse.API_KEY else {at.error_code for topic in said.topics for at in topic.partitions}
    return " and ".join(sorted(map(named, codes)))


def settled(act, over=NOT_YET):
    """What a request is answered once it is answered with something else than "not yet"."""
    return until("the coordinator", lambda: (answer := act()) not in over and answer, PATIENCE_S)


class Connection:
    """One connection to one broker; requests may wait for their answers there."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self.stream = self.socket.makefile("rb")
        self.waiting = []

    def send(self, kind, **fields):
        request = kind(version=VERSIONS[kind], **fields)
        request.with_header(correlation_id=1, client_id="raw")
        self.waiting.append(request)
        self.socket.sendall(request.encode(header=True, framed=True))

    def receive(self):
        """The answer to the oldest request that waits for one."""
        request = self.waiting.pop(0)
        (length,) = struct.unpack(">i", self.stream.read(4))
        return request.header.get_response_class().decode(self.stream.read(length), header=True)

    def ask(self, kind, **fields):
        self.send(kind, **fields)
        return self.receive()

    def close(self):
        self.stream.close()
        self.socket.close()


class Producer:
    """A transactional producer. A copy of it (late()) goes on sending what belongs to its epoch, whatever came after."""

    def __init__(self, connection, transactional_id, timeout_ms=30000):
        self.connection, self.transactional_id, self.timeout_ms = connection, transactional_id, timeout_ms
        self.id = self.epoch = -1
        self.sequences = {}

    @property
    def _me(self):
        return {"transactional_id": self.transactional_id, "producer_id": self.id, "producer_epoch": self.epoch}

    def late(self):
        return copy.deepcopy(self, {id(self.connection): self.connection})

    def init(self):
        """As a new process, or a new producer after a burn, does it: aborts what is open, and raises the epoch."""
        answer = self.connection.ask(InitProducerIdRequest, transactional_id=self.transactional_id, producer_id=-1, producer_epoch=-1,
                                     transaction_timeout_ms=self.timeout_ms)
        if answer.error_code == 0:
            self.id, self.epoch, self.sequences = answer.producer_id, answer.producer_epoch, {}
        return named(answer.error_code)

    def begin(self):
        assert settled(self.init) == GOOD
        return self

    def add_partition(self, topic, partition=0):
        kind, fields = AddPartitionsToTxnRequest, self._me
        add = kind.AddPartitionsToTxnTopic(name=topic, partitions=[partition], version=VERSIONS[kind])
        answer = self.connection.ask(kind, **{"v3_and_below_" + name: value for name, value in fields.items()}, v3_and_below_topics=[add])
        return named(answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code)

    def write(self, topic, value, partition=0, sequence=None):
        """One record; `sequence` repeats an older one."""
        kind = ProduceRequest
        place = (topic, partition)
        number = self.sequences.get(place, 0) if sequence is None else sequence
        batch = MemoryRecordsBuilder(2, 0, 1 << 16, transactional=True, producer_id=self.id, producer_epoch=self.epoch, base_sequence=number)
        batch.append(timestamp=None, key=None, value=value.encode())
        batch.close()
        data = kind.TopicProduceData.PartitionProduceData(index=partition, records=batch.buffer(), version=VERSIONS[kind])
        topics = [kind.TopicProduceData(name=topic, partition_data=[data], version=VERSIONS[kind])]
        answer = self.connection.ask(kind, transactional_id=self.transactional_id, acks=-1, timeout_ms=10000, topic_data=topics)
        code = answer.responses[0].partition_responses[0].error_code
        if code == 0 and sequence is None:
            self.sequences[place] = number + 1
        return named(code)

    def add_offsets(self, group):
        return named(self.connection.ask(AddOffsetsToTxnRequest, **self._me, group_id=group).error_code)

    def commit_offset(self, group, topic, offset, metadata, partition=0, generation=NO_GENERATION, member=NOBODY, instance=None):
        kind = TxnOffsetCommitRequest
        at = kind.TxnOffsetCommitRequestTopic.TxnOffsetCommitRequestPartition(
            partition_index=partition, committed_offset=offset, committed_leader_epoch=-1, committed_metadata=metadata, version=VERSIONS[kind])
        topics = [kind.TxnOffsetCommitRequestTopic(name=topic, partitions=[at], version=VERSIONS[kind])]
        answer = self.connection.ask(kind, **self._me, group_id=group, generation_id=generation, member_id=member, group_instance_id=instance,
                                     topics=topics)
        return named(answer.topics[0].partitions[0].error_code)

    def end(self, committed=True):
        return named(self.connection.ask(EndTxnRequest, **self._me, committed=committed).error_code)

    def state(self):
        """What the coordinator knows: (state, producer id, epoch)."""
        (found,) = self.connection.ask(DescribeTransactionsRequest, transactional_ids=[self.transactional_id]).transaction_states
        return found.transaction_state, found.producer_id, found.producer_epoch


class Member:
    """A member of a consumer group that does nothing by itself: no heartbeats, and it joins again when it is told to."""

    def __init__(self, address, group, topic, instance=None):
        self.connection, self.group, self.topic, self.instance = Connection(address), group, topic, instance
        self.id, self.generation, self.partitions, self.is_leader = NOBODY, NO_GENERATION, [], False

    @property
    def membership(self):
        """As TxnOffsetCommit carries it."""
        return {"generation": self.generation, "member": self.id, "instance": self.instance}

    def _send_join(self):
        kind, subscription = JoinGroupRequest, ConsumerProtocolSubscription(topics=[self.topic], user_data=None, owned_partitions=[], version=0)
        protocol = kind.JoinGroupRequestProtocol(name="range", metadata=subscription.encode(), version=VERSIONS[kind])
        self.connection.send(kind, group_id=self.group, session_timeout_ms=60000, rebalance_timeout_ms=60000, member_id=self.id,
                             group_instance_id=self.instance, protocol_type="consumer", protocols=[protocol])

    def ask_to_join(self):
        """The answer comes when all members have asked."""
        if self.id == NOBODY and self.instance is None:
            self._send_join()
            answer = self.connection.receive()
            assert named(answer.error_code) == "MEMBER_ID_REQUIRED"
            self.id = answer.member_id
        self._send_join()

    def joined(self):
        answer = self.connection.receive()
        assert answer.error_code == 0, named(answer.error_code)
        self.id, self.generation, self.is_leader = answer.member_id, answer.generation_id, answer.leader == answer.member_id

    def sync(self, members=()):
        """The leader's brings what each member has from now on."""
        kind, assignments = SyncGroupRequest, []
        for member in members:
            owned = ConsumerProtocolAssignment.TopicPartition(topic=self.topic, partitions=member.partitions, version=0)
            assignment = ConsumerProtocolAssignment(assigned_partitions=[owned], user_data=None, version=0).encode()
            assignments.append(kind.SyncGroupRequestAssignment(member_id=member.id, assignment=assignment, version=VERSIONS[kind]))
        answer = self.connection.ask(kind, group_id=self.group, generation_id=self.generation, member_id=self.id,
                                     group_instance_id=self.instance, assignments=assignments)
        assert answer.error_code == 0, named(answer.error_code)

    def heartbeat(self):
        return named(self.connection.ask(HeartbeatRequest, group_id=self.group, generation_id=self.generation, member_id=self.id,
                                         group_instance_id=self.instance).error_code)

    def close(self):
        self.connection.close()


def disturb(member, *new):
    """Newcomers ask to join: the group's rebalance begins, and waits for the member that is there already."""
    for newcomer in new:
        newcomer.ask_to_join()
    if new:
        until("the rebalance", lambda: member.heartbeat() == "REBALANCE_IN_PROGRESS", PATIENCE_S)


def regroup(member, *new):
    """Ends it: the group is stable afterwards in a new generation, and the nth member has partition n."""
    members = (member, *new)
    member.ask_to_join()
    for number, one in enumerate(members):
        one.joined()
        one.partitions = [number]
    for one in sorted(members, key=lambda one: not one.is_leader):
        one.sync(members if one.is_leader else ())


def rebalance(member, *new):
    disturb(member, *new)
    regroup(member, *new)


def plain_commit(connection, group, topic, offset, metadata="", partition=0):
    """As a tool or a consumer outside the group commits: no generation, no member."""
    kind = OffsetCommitRequest
    at = kind.OffsetCommitRequestTopic.OffsetCommitRequestPartition(
        partition_index=partition, committed_offset=offset, committed_leader_epoch=-1, committed_metadata=metadata, version=VERSIONS[kind])
    topics = [kind.OffsetCommitRequestTopic(name=topic, partitions=[at], version=VERSIONS[kind])]
    answer = connection.ask(kind, group_id=group, generation_id_or_member_epoch=NO_GENERATION, member_id=NOBODY, topics=topics)
    return named(answer.topics[0].partitions[0].error_code)


def offsets(connection, group, topic, partitions, is_stable=True):
    """What the group has committed, a value for each partition: (offset, metadata), None without an offset, or an error's name.
    All are asked for in one request; `is_stable`: as require-stable shows them."""
    kind = OffsetFetchRequest
    topics = [kind.OffsetFetchRequestTopic(name=topic, partition_indexes=list(range(partitions)), version=VERSIONS[kind])]
    answer = connection.ask(kind, group_id=group, topics=topics, require_stable=is_stable)
    if answer.error_code:
        return [named(answer.error_code)] * partitions
    return [named(at.error_code) if at.error_code else None if at.committed_offset < 0 else (at.committed_offset, at.metadata)
            for at in sorted(answer.topics[0].partitions, key=lambda at: at.partition_index)]
