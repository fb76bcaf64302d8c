"""One proxy before each server of the suite."""
from proxy import KafkaProxy, Loop, PostgresProxy
from servers import BROKERS


class Proxies:
    """`kafka`: by the broker's name; `postgres`: by the server's."""

    def __init__(self, servers):
        self.pair = servers.pair
        self.loop, held = Loop(), []
        cluster, pair = servers.cluster, self.pair
        self.kafka = {name: KafkaProxy(self.loop, cluster.port(name, "proxy"), cluster.port(name, "behind"), held) for name in BROKERS}
        self.postgres = {name: PostgresProxy(self.loop, 0, pair.port(name)) for name in sorted((pair.primary, pair.standby))}
        self.held = held

    @property
    def postgres_ports(self):
        return [self.postgres[name].port for name in (self.pair.primary, self.pair.standby)]

    @property
    def all(self):
        return [*self.kafka.values(), *self.postgres.values()]

    def calm(self):
        for proxy in self.all:
            proxy.calm()
        self.held.clear()

    def close(self):
        for proxy in self.all:
            proxy.close()
        self.loop.close()
