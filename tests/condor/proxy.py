"""A TCP proxy on loopback that stands between Jobdeck and a pool, and fails in the ways that networks fail."""

import contextlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable


class Proxy:
    """Forwards connections to one address; what a test sets holds for the bytes that come after it.

    Attributes:
        silent: connections are taken, and nothing is forwarded in either direction until it is false again.
        stop_after: bytes of each connection's answer after which nothing more comes, though it stays open; when it is
            None again, those that it stopped are closed.
        hold_after: bytes of each connection's request after which nothing more of it is forwarded until it is None again.
        cut_after: bytes of each connection's answer after which the connection is closed.
        delay: seconds that each piece of an answer is held back.
        connections: how many were taken so far.
    """

    def __init__(self, host: str, port: int):
        self.target = (host, port)
        self.silent = False
        self.stop_after: int | None = None
        self.hold_after: int | None = None
        self.cut_after: int | None = None
        self.delay = 0.0
        self.connections = 0
        self._closing = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.port = 0
        self.listen()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self) -> None:
        """Take connections, at the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """From now on nobody listens at the port, and what is open is broken off."""
        listener, self._listener = self._listener, None
        if listener:
            # Closing alone leaves a blocked accept() with the port.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.break_off()

    def break_off(self) -> None:
        """Reset all connections that are open."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            _reset(one)

    def close(self) -> None:
        """End the proxy."""
        self._closing = True
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(self.target)
            except OSError:
                _reset(client)
                continue
            with self._lock:
                self._open |= {client, server}
            for pump in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer:
                    time.sleep(self.delay)
                    data = data[: self._left(self.cut_after, passed)]
                    stopping = len(data) > self._left(self.stop_after, passed)
                    data = data[: self._left(self.stop_after, passed)]
                else:
                    self._wait_while(lambda so_far=passed: self.hold_after is not None and so_far >= self.hold_after)
                self._wait_while(lambda: self.silent)
                sink.sendall(data)
                passed += len(data)
                if is_answer and stopping:
                    self._wait_while(lambda: self.stop_after is not None)
                    break
                if is_answer and not self._left(self.cut_after, passed):
                    break
            sink.shutdown(socket.SHUT_WR)
            if is_answer:
                self._drop(source, sink)

    @staticmethod
    def _left(limit: int | None, passed: int) -> int:
        return sys.maxsize if limit is None else max(0, limit - passed)

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        while condition() and not self._closing:
            time.sleep(0.01)

    def _drop(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open.difference_update(sockets)
        for one in sockets:
            one.close()


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RDWR)
    one.close()
