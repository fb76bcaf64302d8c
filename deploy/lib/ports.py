"""Prints a port that nobody listens on, for a server that is to be started: never the same one twice, or two servers that are set up
before either is started might get the same. Not one of those that the kernel gives to outgoing connections: a server that is started
again is to find its port free. Somebody else may take it before we do: then the server's start fails and says so.
"""
import fcntl
import os
import pathlib
import random
import socket

FIRST, COUNT = 10000, 22000
LAST = pathlib.Path(os.environ.get("BOOKING_CACHE") or pathlib.Path(__file__).resolve().parents[2] / ".cache") / "port"  # given out


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    LAST.parent.mkdir(parents=True, exist_ok=True)
    with LAST.open("a+", encoding="ascii") as last:
        fcntl.flock(last, fcntl.LOCK_EX)
        last.seek(0)
        number = int(last.read() or random.randrange(COUNT)) + 1
        while not is_free(FIRST + number % COUNT):
            number += 1
        last.truncate(0)
        last.write(str(number % COUNT))
    return FIRST + number % COUNT


if __name__ == "__main__":
    print(free_port())
