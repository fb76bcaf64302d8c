"""What a consumer group has committed, asked with two small requests of our own: confluent_kafka reads the offsets' metadata
beyond its end."""
import socket
import struct

OFFSET_FETCH, FIND_COORDINATOR = (9, 5), (10, 1)  # api key, and a version of before tagged fields


def _text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


class _Answer:
    """An answer's bytes, taken from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        length = self.take("h")
        if length < 0:
            return None
        self.at += length
        return self.data[self.at - length:self.at].decode()


def _ask(host, port, api, body):
    with socket.create_connection((host, port), timeout=10) as connection:
        request = struct.pack(">hhi", *api, 1) + _text("witness") + body
        connection.sendall(struct.pack(">i", len(request)) + request)
        stream = connection.makefile("rb")
        (length,) = struct.unpack(">i", stream.read(4))
        answer = _Answer(stream.read(length))
        answer.take("i")  # the correlation id
        return answer


def _coordinator(bootstrap, group):
    """(host, port), or None while there is none."""
    for place in bootstrap.split(","):
        host, _, port = place.rpartition(":")
        try:
            answer = _ask(host, int(port), FIND_COORDINATOR, _text(group) + b"\0")
        except OSError:
            continue
        answer.take("i")  # throttled for
        error = answer.take("h")
        answer.text()
        answer.take("i")  # node
        return (answer.text(), answer.take("i")) if error == 0 else None
    return None


def fetch(bootstrap, group, topics, partitions):
    """{(topic, partition): (offset, metadata)}, or None while no broker can say."""
    coordinator = _coordinator(bootstrap, group)
    if coordinator is None:
        return None
    body = _text(group) + struct.pack(">i", len(topics))
    for topic in topics:
        body += _text(topic) + struct.pack(f">i{partitions}i", partitions, *range(partitions))
    answer = _ask(*coordinator, OFFSET_FETCH, body)
    answer.take("i")  # throttled for
    found = {}
    for _ in range(answer.take("i")):
        topic = answer.text()
        for _ in range(answer.take("i")):
            number, offset, _ = answer.take("i"), answer.take("q"), answer.take("i")
            found[topic, number] = (offset, answer.text())
            if answer.take("h"):
                return None
    return None if answer.take("h") else found
