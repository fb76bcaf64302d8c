"""What befalls Postgres, and the connections to it."""
import itertools
import signal

import psycopg

from brokers import bad_weather, spring
from proxy import Trap
from scenario import scenario
from world import until

# A silent server is given up after twice this time and five seconds (src/postgres/store.c).
IMPATIENT = {"statement_timeout": "3s"}


@scenario(count=4, few=1)
def postgres_killed(stage, count):
    """Postgres crashes in the middle of the work and recovers from its log."""
    for _ in range(count):
        stage.pause(0.3, 3)
        stage.servers.pair.kill()
        stage.fault()
        stage.pause(0, 3)
        stage.servers.pair.start()
        stage.servers.pair.wait_synchronous()
        stage.healed()
        stage.recovered()


@scenario(count=2, few=1, postgres=IMPATIENT)
def failover(stage, count):
    """The primary dies, and the standby is promoted; one worker is stopped before, and goes on when it is all over."""
    for _ in range(count):
        stage.pause(0.3, 3)
        zombie = stage.random.choice(stage.workers)
        zombie.process.send_signal(signal.SIGSTOP)
        stage.pause(0.0, 0.3)
        stage.servers.pair.kill()
        stage.servers.pair.promote()
        stage.fault()
        stage.healed()
        stage.recovered()
        stage.servers.pair.follow()
        zombie.process.send_signal(signal.SIGCONT)
        stage.healed()
        stage.recovered()


@scenario(count=1, postgres=IMPATIENT, worker={"idle_tick": "2s"})
def failover_while_idle(stage, count):
    """A primary stops answering while its workers have nothing to do; the standby is promoted; then the old one is back and
    believes that it is still the primary."""
    for _ in range(count):
        stage.load.pause()
        until("the workers to be idle", stage.is_idle, 120)
        pair = stage.servers.pair
        old = pair.primary
        pair.stop_in_its_tracks()
        try:
            pair.promote()
            stage.fault()
            stage.load.resume()
            stage.healed()
            stage.recovered()
        finally:
            pair.signal(old, signal.SIGCONT)
        stage.fault()
        worker = stage.random.choice(stage.workers)
        worker.kill()  # it may find the old one first when it comes back
        worker.start()
        stage.pause(4, 8)
        pair.follow()  # which ends the old one
        stage.healed()
        stage.recovered()


@scenario(count=4, is_proxied=True, postgres=IMPATIENT)
def connections_to_postgres(stage, count):
    """Connections between workers and Postgres are cut, slow, half open or refused for seconds."""
    bad_weather(stage, list(stage.proxies.postgres.values()), count)


@scenario(count=12, few=4, is_proxied=True, postgres=IMPATIENT)
def commits_lost(stage, count):
    """The connection is cut before COMMIT, or between COMMIT and its reply, or COMMIT is delivered seconds after its worker has
    gone; for batches and for takeovers."""
    acts = [("batch", "cut reply"), ("batch", "hold"), ("take", "cut reply"), ("batch", "cut before"), ("take", "hold")]
    for what, action in itertools.islice(itertools.cycle(acts), count):
        trap = Trap(what, action, stage.random.randint(0, 4) if what == "batch" else 0)
        proxies = list(stage.proxies.postgres.values())
        for proxy in proxies:
            proxy.hold_s = stage.random.uniform(0.2, 6)
        if what == "take":
            worker = stage.random.choice(stage.workers)
            worker.kill()
            worker.start()
        spring(stage, trap, proxies)
        stage.healed()
        if action != "cut before":
            assert trap.delivered.wait(30), "the commit was not delivered"
        stage.recovered()


@scenario(count=4, is_proxied=True)
def postgres_slow(stage, count):
    """Postgres answers late, or a table is locked for seconds."""
    for number in range(count):
        stage.pause(0.2, 2)
        stage.fault()
        if number % 2:
            with psycopg.connect(stage.world.admin_conninfo) as session:
                session.execute(f"LOCK TABLE booking.{stage.random.choice(('orders', 'lanes', 'outbox'))} IN EXCLUSIVE MODE")
                stage.pause(2, 6)
        else:
            for proxy in stage.proxies.postgres.values():
                proxy.delay_s = stage.random.uniform(0.05, 0.5)
            stage.pause(2, 6)
            for proxy in stage.proxies.postgres.values():
                proxy.calm()
        stage.healed()
        stage.recovered()


@scenario(count=3, needs_small_disk=True)
def disk_full(stage, count):
    """Postgres' disk is full for seconds: rows cannot be added, and the server ends when its log cannot grow."""
    disk = stage.servers.small_disk
    for _ in range(count):
        stage.pause(0.5, 2)
        disk.fill()
        stage.fault()
        stage.pause(2, 6)
        disk.make_room()
        stage.healed()
        stage.recovered()
