"""What a consumer group has committed, its metadata too: confluent_kafka reads that beyond its end."""
import contextlib

import raw

GROUP = 0  # a kind of coordinator


def _coordinator(bootstrap, group):
    """A connection to it, or None while there is none."""
    for place in bootstrap.split(","):
        with contextlib.suppress(OSError), contextlib.closing(raw.Connection(place)) as connection:
            found = connection.ask(raw.FindCoordinatorRequest, key=group, key_type=GROUP)
            return raw.Connection(f"{found.host}:{found.port}") if found.error_code == 0 else None
    return None


def fetch(bootstrap, group, topics, partitions):
    """{(topic, partition): (offset, metadata)}, or None while no broker can say."""
    connection = _coordinator(bootstrap, group)
    if connection is None:
        return None
    with contextlib.closing(connection):
        found = {(topic, number): at for topic in topics
                 for number, at in enumerate(raw.offsets(connection, group, topic, partitions))}
    if any(isinstance(at, str) for at in found.values()):
        return None
    return {place: at or (-1, "") for place, at in found.items()}
