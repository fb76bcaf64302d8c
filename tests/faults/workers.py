"""What befalls workers."""
import itertools
import pathlib
import resource
import signal

from scenario import scenario
from world import until

# Points of the build with -DBOOKING_POINTS=ON (include/booking/point.h), and how often each is passed before it kills.
POINTS = {
    "after-poll": 500, "before-write": 12, "after-sending": 16, "after-asking": 6, "after-write": 12, "before-begin": 10,
    "after-begin": 10, "in-produce": 1000, "before-offsets": 10, "before-commit": 10, "after-commit": 10, "before-burn": 2,
    "after-taking": 2, "before-claim": 2, "after-claim": 2, "in-revoke": 2, "after-revoke": 1, "at-draining": 1, "at-closing": 1,
}
OF_REBALANCES = ("before-burn", "after-taking", "before-claim", "after-claim", "in-revoke", "after-revoke")
POINT_WITHIN_S = 180  # a machine may be busy with something else
SMALL = {"batch_events": 100}  # more transactions, more chances


def point(stage, name):
    return f"{name}:{stage.random.randint(1, POINTS[name])}"


def provoke(stage, worker, name, has_happened):
    """Some points are not passed by themselves: others have to come and go, or the worker to be told to leave."""
    if name.startswith("at-"):
        worker.process.send_signal(signal.SIGTERM)
    elif name in OF_REBALANCES:
        others = [other for other in stage.workers if other is not worker and other.is_running()]
        until("the worker to have lanes", lambda: has_happened() or worker.get("/readyz")[0] == 200, POINT_WITHIN_S)
        for other in itertools.islice(itertools.cycle(others), 10):
            if has_happened():
                return
            other.stop(60)
            other.start()
            until("the other worker to be back", lambda other=other: has_happened() or other.is_ready(), POINT_WITHIN_S)


@scenario(count=40, few=6, worker=SMALL, wave=300)
def workers_killed_at_random(stage, count):
    """kill -9 of one worker, or of several, at any moment, also while they come back."""
    killed = 0
    while killed < count:
        stage.pause(0.05, 1.5)
        victims = stage.random.sample(stage.workers, stage.random.choice((1, 1, 2, 2, 3)))
        for worker in victims:
            worker.kill()
        stage.fault(len(victims))
        stage.healed()
        for worker in victims:
            worker.start()
        killed += len(victims)
        if stage.random.random() < 0.15:
            stage.recovered()


@scenario(count=len(POINTS), few=7, worker=SMALL)
def workers_killed_at_points(stage, count):
    """A worker dies at named points: after poll, around the Postgres transaction, around begin, produce, offsets and commit, in
    takeover, in revoke, in shutdown."""
    victim = stage.random.choice(stage.workers)
    victim.kill()
    names = stage.random.sample(sorted(POINTS), len(POINTS))
    for name in (names * (count // len(names) + 1))[:count]:
        wanted = point(stage, name)
        victim.start(BOOKING_DIE_AT=wanted)
        victim.wait_started()
        provoke(stage, victim, name, lambda: not victim.is_running())
        until(f"the worker to die at {wanted}", lambda: not victim.is_running(), POINT_WITHIN_S)
        assert victim.process.returncode == -signal.SIGKILL, f"{wanted}: ended with {victim.process.returncode}\n{victim.tail()}"
        stage.fault()
        stage.healed()
    victim.start()


def is_stopped(worker):
    text = pathlib.Path(f"/proc/{worker.process.pid}/stat").read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()[0] == "T"


@scenario(count=8, few=2, worker=SMALL)
def zombies_at_points(stage, count):
    """A worker stops at a named point until the others have taken its lanes over, and then goes on where it was."""
    names = stage.random.sample(sorted(POINTS), len(POINTS))
    for name in (names * (count // len(names) + 1))[:count]:
        victim = stage.random.choice(stage.workers)
        victim.kill()
        wanted = point(stage, name)
        victim.start(BOOKING_STOP_AT=wanted)
        victim.wait_started()
        provoke(stage, victim, name, lambda victim=victim: is_stopped(victim))
        until(f"the worker to stop at {wanted}", lambda victim=victim: is_stopped(victim), POINT_WITHIN_S)
        stage.fault()
        stage.healed()
        stage.recovered()
        victim.process.send_signal(signal.SIGCONT)
        if name.startswith("at-"):
            victim.process.wait(60)
            victim.start()
        stage.healed()
        stage.recovered()


@scenario(count=3, few=0, worker=SMALL)
def zombies(stage, count):
    """SIGSTOP of workers at random for longer than the session, and for longer than the transaction's timeout."""
    for number in range(count):
        stage.pause(0.2, 2.0)
        victim = stage.random.choice(stage.workers)
        victim.process.send_signal(signal.SIGSTOP)
        stage.fault()
        stage.healed()
        if number % 2:
            stage.pause(16, 18)  # the coordinator looks for transactions that are over every 10 s
        else:
            stage.pause(2.5, 6)
        victim.process.send_signal(signal.SIGCONT)
        stage.recovered()


@scenario(count=12, few=0, worker=SMALL)
def rebalance_storm(stage, count):
    """Workers come and go: 1, 4, 2, 3 … of them, some leave in order and some do not."""
    stage.add_worker("w4")
    for _ in range(count):
        wanted = stage.random.randint(1, 4)
        running = [worker for worker in stage.workers if worker.is_running()]
        resting = [worker for worker in stage.workers if not worker.is_running()]
        for worker in running[wanted:]:
            if stage.random.random() < 0.5:
                worker.kill()
            else:
                worker.stop(60)
        for worker in resting[:max(0, wanted - len(running))]:
            worker.start()
        stage.fault()
        stage.healed()
        stage.pause(0.1, 4.0)
    stage.recovered()


@scenario(count=6)
def sigterm_under_load(stage, count):
    """SIGTERM in the middle of the work: the worker finishes what was begun, ends with 0 within its time, and comes back."""
    for _ in range(count):
        stage.pause(0.2, 2.0)
        worker = stage.random.choice(stage.workers)
        status = worker.stop(25)
        assert status == 0, f"{worker.name} ended with {status}: {worker.tail()}"
        stage.fault()
        stage.healed()
        worker.start()
    stage.recovered()


def data_of(worker):
    """Bytes that count for a limit on its data: heap, mappings of its own, stacks."""
    for line in pathlib.Path(f"/proc/{worker.process.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0


@scenario(count=4, worker=SMALL)
def memory_limit(stage, count):
    """The system refuses a worker more memory than it has at some moment: it ends in the middle of what it does, and comes back."""
    ended = 0
    for _ in range(count * 4):
        victim = stage.random.choice(stage.workers)
        victim.kill()
        victim.start()
        victim.wait_started()
        stage.pause(0, 1)
        limit = data_of(victim) + stage.random.randint(0, 1 << 20)
        resource.prlimit(victim.process.pid, resource.RLIMIT_DATA, (limit, limit))
        try:
            until("the worker to run out of memory", lambda victim=victim: not victim.is_running(), 10)
            stage.fault()
            ended += 1
        except AssertionError:
            victim.kill()  # it had enough
        stage.healed()
        victim.start()
        if ended == count:
            break
    assert ended > 0, "no worker ran out of memory"
    stage.recovered()
