"""What befalls the brokers, and the connections to them."""
import itertools

from confluent_kafka.admin import AdminClient

from broker import QUIET
from proxy import ADD_OFFSETS_TO_TXN, ADD_PARTITIONS_TO_TXN, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, Trap
from raw import GOOD, answer_to
from scenario import scenario
from servers import BROKERS
from world import until

OFFSET_FETCH, JOIN_GROUP, INIT_PRODUCER_ID = 9, 11, 22
IN_SYNC_WITHIN_S = 120

def metadata(stage, topic=None):
    return AdminClient({"bootstrap.servers": stage.world.servers.kafka, **QUIET}).list_topics(topic, timeout=30)


def wait_in_sync(stage):
    """Until each partition is on all brokers again: the next one may go then."""
    def are_all():
        return all(len(partition.isrs) == len(BROKERS) for topic in metadata(stage).topics.values()
                   for partition in topic.partitions.values())
    until("the brokers to be in sync", are_all, IN_SYNC_WITHIN_S)


def java_hash(text):
    value = 0
    for character in text:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF


def coordinator(stage, topic, name):
    """The broker that leads the partition of __consumer_offsets or __transaction_state on which `name` lives."""
    partitions = metadata(stage, topic).topics[topic].partitions
    return str(partitions[java_hash(name) % len(partitions)].leader)


def end_for_a_while(stage, name, end):
    end(name)
    stage.fault()
    stage.healed()
    stage.pause(0.5, 5)
    stage.servers.cluster.start(name)
    wait_in_sync(stage)
    stage.recovered()


def in_turn(stage, count, end):
    """One broker after another ends and comes back; two are enough to work with."""
    for name in itertools.islice(itertools.cycle(stage.random.sample(BROKERS, len(BROKERS))), count):
        stage.pause(0.2, 1.5)
        end_for_a_while(stage, name, end)


@scenario(count=3, few=1)
def brokers_killed_in_turn(stage, count):
    """kill -9 of one broker after another; each is started again and gets in sync before the next one goes."""
    in_turn(stage, count, stage.servers.cluster.kill)


@scenario(count=3)
def brokers_restarted_in_turn(stage, count):
    """A rolling restart: each broker is stopped in order and started again."""
    in_turn(stage, count, stage.servers.cluster.stop)


@scenario(count=3)
def coordinators_lost(stage, count):
    """kill -9 of the broker that leads the group's, or a producer's transactional id's, partition."""
    for number in range(count):
        stage.pause(0.2, 1.5)
        if number % 2:
            name = coordinator(stage, "__transaction_state", f"{stage.world.name}-{stage.random.choice(stage.workers).name}")
        else:
            name = coordinator(stage, "__consumer_offsets", stage.world.name)
        end_for_a_while(stage, name, stage.servers.cluster.kill)


@scenario(count=1)
def kafka_away(stage, count):
    """All brokers are killed, and away for up to two and a half minutes; then all come back."""
    for _ in range(count):
        stage.pause(0.2, 1.5)
        for name in BROKERS:
            stage.servers.cluster.kill(name)
        stage.fault()
        stage.pause(10, 150)
        stage.servers.cluster.start_all()
        stage.healed()
        stage.recovered()


def bad_weather(stage, proxies, count):
    """Connections through these proxies are cut, slow, half open, or refused, for a while."""
    for kind in itertools.islice(itertools.cycle(stage.random.sample(("cut", "slow", "deaf", "closed"), 4)), count):
        stage.pause(0.2, 2.0)
        chosen = stage.random.sample(proxies, stage.random.randint(1, len(proxies)))
        for proxy in chosen:
            if kind == "cut":
                proxy.cut()
            elif kind == "slow":
                proxy.delay_s = stage.random.uniform(0.02, 0.4)
            elif kind == "deaf":
                proxy.is_deaf = True
            else:
                proxy.is_closed = True
                proxy.cut()
        stage.fault()
        if kind != "cut":
            stage.pause(2, 12)
        for proxy in chosen:
            proxy.calm()
            if kind == "deaf":
                proxy.cut()  # what was said meanwhile never arrives
        stage.healed()
        stage.recovered()


@scenario(count=4, few=0, is_proxied=True)
def connections_to_kafka(stage, count):
    """Connections between workers and brokers are cut, slow, half open or refused for seconds."""
    bad_weather(stage, list(stage.proxies.kafka.values()), count)


def spring(stage, trap, proxies, seconds=60):
    for proxy in proxies:
        proxy.set(trap)
    assert trap.sprung.wait(seconds), f"no request {trap.what} came for {trap.action} within {seconds} s"
    stage.fault()
    for proxy in proxies:
        proxy.traps.remove(trap)


@scenario(count=14, few=5, is_proxied=True)
def answers_of_kafka_lost(stage, count):
    """The connection is cut between EndTxn and its reply, and around the other requests of a transaction and a takeover."""
    names = [END_TXN, TXN_OFFSET_COMMIT, END_TXN, ADD_OFFSETS_TO_TXN, PRODUCE, ADD_PARTITIONS_TO_TXN, END_TXN]
    for what in itertools.islice(itertools.cycle(names), count):
        action = stage.random.choice(("cut reply", "cut reply", "cut before"))
        spring(stage, Trap(what, action, stage.random.randint(0, 3)), list(stage.proxies.kafka.values()))
        stage.healed()
        stage.pause(0.0, 0.5)
    for what in (INIT_PRODUCER_ID, OFFSET_FETCH, JOIN_GROUP):
        worker = stage.random.choice(stage.workers)
        worker.kill()
        worker.start()
        spring(stage, Trap(what, "cut reply"), list(stage.proxies.kafka.values()))
        stage.healed()
    stage.recovered()


@scenario(count=8, few=2, is_proxied=True)
def requests_held_back(stage, count):
    """An EndTxn or TxnOffsetCommit stays in the network while its connection ends; it is delivered when the same producer's next
    transaction is open."""
    for number in range(count):
        release_at = (PRODUCE, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN)[number % 3]
        trap = Trap((END_TXN, TXN_OFFSET_COMMIT)[number % 2], "hold", stage.random.randint(0, 3), release_at)
        spring(stage, trap, list(stage.proxies.kafka.values()))
        stage.healed()
        assert trap.delivered.wait(60), "the producer whose request is held back opened no transaction within 60 s"
        answer = answer_to(trap.held, trap.answer)
        stage.notes[f"a late {'EndTxn' if trap.what == END_TXN else 'TxnOffsetCommit'} was answered with {answer}"] += 1
        assert GOOD not in answer, "a late copy had its way"
        stage.recovered()
