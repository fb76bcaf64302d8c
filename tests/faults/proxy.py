"""Proxies between the workers and their servers, on a thread of their own: connections can be cut, slow, half open, and cut or
held back at one named request. KafkaProxy and PostgresProxy know just enough of the protocols for that."""
import asyncio
import collections
import contextlib
import struct
import threading

CHUNK = 1 << 16
PRODUCE, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN, WRITE_TXN_MARKERS, TXN_OFFSET_COMMIT = 0, 24, 25, 26, 27, 28


class Loop:
    """The thread on which all proxies live."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine, seconds=30):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(seconds)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


class Trap:
    """Springs once, at the nth request that it is meant for. What it does then:
    cut before    the request is never delivered, and the connection ends
    cut reply     it is delivered and carried out, and the connection ends in place of its answer
    hold          the connection ends without it; a copy is delivered later, on a connection of its own
    wait          it waits, and what comes after it on its connection, until may_pass"""

    def __init__(self, what, action, skip=0, release_at=ADD_PARTITIONS_TO_TXN, client_id=None):
        self.what, self.action, self.skip = what, action, skip
        self.client_id = client_id    # only this client's request; None = anybody's
        self.may_pass = threading.Event()
        self.release_at = release_at  # the request of the next transaction after whose success a copy is delivered
        self.sprung, self.delivered = threading.Event(), threading.Event()
        self.held = self.origin = self.answer = None

    def wants(self, what, client_id):
        if what != self.what or self.sprung.is_set() or self.client_id not in (None, client_id):
            return False
        self.skip -= 1
        return self.skip < 0


class Connection:
    """One client's connection and ours to its server."""

    def __init__(self, proxy, client, server):
        self.proxy, (self.client_reader, self.client), (self.server_reader, self.server) = proxy, client, server
        self.client_id = None       # whose it is, where the protocol tells
        self.is_swallowing = False  # what the server says does not reach the client any more

    def abort(self):
        for writer in (self.client, self.server):
            writer.transport.abort()

    def abort_client(self):
        self.client.transport.abort()

    async def run(self):
        there, back = (asyncio.ensure_future(pump) for pump in (self.to_server(), self.to_client()))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            self.abort()

    async def pass_on(self, writer, data):
        await self.proxy.weather()
        writer.write(data)
        await writer.drain()

    async def to_server(self):
        while data := await self.client_reader.read(CHUNK):
            await self.pass_on(self.server, data)

    async def to_client(self):
        while data := await self.server_reader.read(CHUNK):
            await self.pass_on(self.client, data)


class Proxy:
    """Listens on one port and forwards to another. The attributes may be set from any thread."""

    connection = Connection

    def __init__(self, loop, port, target):
        self.loop, self.port, self.target = loop, port, target
        self.delay_s = 0.0     # each piece is this late
        self.is_deaf = False   # half open: nothing passes, and nobody is told
        self.is_closed = False  # new connections end at once
        self.traps = []
        self.connections = set()
        self.loop.call(self._listen())

    async def _listen(self):
        self.listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def _accept(self, reader, writer):
        connection = None
        try:
            if self.is_closed:
                return
            await self.weather()
            server = await asyncio.open_connection("127.0.0.1", self.target)
            connection = self.connection(self, (reader, writer), server)
            self.connections.add(connection)
            await connection.run()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(connection)
            with contextlib.suppress(Exception):
                writer.transport.abort()

    async def weather(self):
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        while self.is_deaf:
            await asyncio.sleep(0.02)

    def set(self, trap):
        self.traps.append(trap)
        return trap

    def trap_for(self, what, client_id=None):
        return next((trap for trap in self.traps if trap.wants(what, client_id)), None)

    def cut(self, client_id=None):
        """All connections at once, or all of one client; returns how many there were."""
        async def act():
            connections = [one for one in self.connections if client_id in (None, one.client_id)]
            for connection in connections:
                connection.abort()
            return len(connections)
        return self.loop.call(act())

    def calm(self):
        """No weather and no traps any more."""
        self.delay_s, self.is_deaf, self.is_closed = 0.0, False, False
        self.traps.clear()

    def close(self):
        async def act():
            self.listener.close()
        self.loop.call(act())
        self.cut()


class KafkaConnection(Connection):
    """Frames: a length, then key, version and correlation id of a request, or the correlation id of an answer."""

    def __init__(self, *ends):
        super().__init__(*ends)
        self.waiting = {}  # correlation id: (api key, request)
        self.cut_at = None  # the correlation id whose answer is cut off

    @staticmethod
    async def frame(reader):
        head = await reader.readexactly(4)
        return head + await reader.readexactly(int.from_bytes(head, "big"))

    async def to_server(self):
        while True:
            frame = await self.frame(self.client_reader)
            key, version, correlation = struct.unpack_from(">hhi", frame, 4)
            self.client_id = client_id(frame)
            self.proxy.sent[self.client_id, key] += 1
            self.proxy.versions[self.client_id, key] = version
            trap = self.proxy.trap_for(key, self.client_id)
            if trap and trap.action == "wait":
                trap.sprung.set()
                while not trap.may_pass.is_set():
                    await asyncio.sleep(0.01)
            elif trap and trap.action != "cut reply":
                trap.held = frame
                trap.sprung.set()
                if trap.action == "hold":
                    trap.origin = self.proxy
                    self.proxy.held.append(trap)
                self.abort()
                return
            elif trap:
                self.cut_at = correlation
                trap.sprung.set()
            if key in (PRODUCE, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN) and self.proxy.held:
                self.waiting[correlation] = frame
            await self.pass_on(self.server, frame)

    async def to_client(self):
        while True:
            frame = await self.frame(self.server_reader)
            (correlation,) = struct.unpack_from(">i", frame, 4)
            if correlation == self.cut_at:
                self.abort()
                return
            request = self.waiting.pop(correlation, None)
            if request and is_done(request, frame):
                await self.proxy.release(request)
            await self.pass_on(self.client, frame)


def is_done(request, answer):
    """Whether the broker has done what Produce, AddPartitionsToTxn or AddOffsetsToTxn asked it for (versions before tagged
    fields)."""
    (key,) = struct.unpack_from(">h", request, 4)
    at = 8  # after length and correlation id
    if key == PRODUCE:
        at += 4
        at += 2 + struct.unpack_from(">h", answer, at)[0]
        return struct.unpack_from(">h", answer, at + 8)[0] == 0
    at += 4  # a time
    if key == ADD_PARTITIONS_TO_TXN:
        at += 4
        at += 2 + struct.unpack_from(">h", answer, at)[0]  # the first topic's name
        at += 8  # its first partition
    return struct.unpack_from(">h", answer, at)[0] == 0


class KafkaProxy(Proxy):
    """Before one broker. A request that is held back is delivered as soon as the same producer's next transaction is open, as
    any of the brokers' proxies sees it."""

    connection = KafkaConnection

    def __init__(self, loop, port, target, held):
        self.held = held  # shared by the proxies of one cluster
        self.sent = collections.Counter()  # (client id, api key): requests that came from that client, repetitions included
        self.versions = {}                 # (client id, api key): the last one's version
        super().__init__(loop, port, target)

    async def release(self, request):
        """`request` was carried out. Is it of the transaction after one whose request is held back?"""
        (key,) = struct.unpack_from(">h", request, 4)
        for trap in [trap for trap in self.held
                     if trap.release_at == key and transactional_id(trap.held) == transactional_id(request)]:
            self.held.remove(trap)
            trap.answer = await trap.origin.deliver(trap.held)
            trap.delivered.set()

    async def deliver(self, frame):
        """The answer to a request on a connection of its own; None when there is none."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
            writer.write(frame)
            answer = await asyncio.wait_for(KafkaConnection.frame(reader), 5)
            writer.close()
            return answer
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            return None


def client_id(frame):
    """As the client calls itself in a request's header."""
    (length,) = struct.unpack_from(">h", frame, 12)
    return frame[14:14 + max(length, 0)].decode()


def transactional_id(frame):
    """Of Produce, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn or TxnOffsetCommit: the first field after the client's id."""
    key, version = struct.unpack_from(">hh", frame, 4)
    at = 14 + len(client_id(frame).encode())
    if key != PRODUCE and version >= 3:  # flexible: tagged fields of the header, then a compact string
        at += 1
        length = frame[at] - 1
        at += 1
    else:
        (length,) = struct.unpack_from(">h", frame, at)
        at += 2
    return frame[at:at + length]


class PostgresConnection(Connection):
    """Messages: a type and a length, except the first ones of a client, which have no type. A batch is known by the statement
    that moves its lanes on; traps are set for "batch" or "take"."""

    STATEMENTS = {b"\0advance lanes\0": "batch", b"\0raise epochs\0": "take"}
    COMMIT = b"\0commit\0"
    PLAIN = 196608  # protocol 3.0: what follows has types

    def __init__(self, *ends):
        super().__init__(*ends)
        self.is_answered = asyncio.Event()

    async def start(self):
        while True:
            head = await self.client_reader.readexactly(8)
            length, code = struct.unpack(">II", head)
            await self.pass_on(self.server, head + await self.client_reader.readexactly(length - 8))
            if code == self.PLAIN:
                return

    async def to_server(self):
        await self.start()
        what = trap = None
        kept = []
        while True:
            head = await self.client_reader.readexactly(5)
            message = head + await self.client_reader.readexactly(struct.unpack(">I", head[1:])[0] - 4)
            if message[:1] == b"B":
                what = next((name for statement, name in self.STATEMENTS.items() if statement in message[:64]), what)
                if self.COMMIT in message[:64] and what and trap is None:
                    trap = self.proxy.trap_for(what)
            if trap is None:
                await self.pass_on(self.server, message)
            elif trap.action == "cut before":
                trap.sprung.set()
                self.abort()
                return
            else:
                kept.append(message)
                if message[:1] == b"S":
                    await self.spring(trap, b"".join(kept))
                    return
            if message[:1] == b"S":
                what = None

    async def spring(self, trap, rest):
        """`rest`: COMMIT and what ends the batch."""
        self.is_swallowing = True
        trap.sprung.set()
        if trap.action == "hold":
            self.abort_client()
            await asyncio.sleep(self.proxy.hold_s)
        self.server.write(rest)
        await self.server.drain()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.is_answered.wait(), 10)
        trap.delivered.set()
        self.abort()

    async def to_client(self):
        tail = b""
        while data := await self.server_reader.read(CHUNK):
            if not self.is_swallowing:
                await self.pass_on(self.client, data)
                continue
            tail = (tail + data)[-6:]
            if tail[:5] == b"Z\0\0\0\x05":
                self.is_answered.set()
                await asyncio.sleep(3600)  # until the connection is ended


class PostgresProxy(Proxy):
    """Before one Postgres."""

    connection = PostgresConnection

    def __init__(self, loop, port, target):
        self.hold_s = 3.0
        super().__init__(loop, port, target)
