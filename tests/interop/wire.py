"""A connection that a test can cut: a port that leads to another one, or to nothing."""

import socket
import threading
from contextlib import contextmanager, suppress


class Wire:
    def __init__(self, host, port):
        self._to = (host, port)
        self._whole = True
        self._lock = threading.Lock()
        self._sockets = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Breaks what goes through it, and lets nothing through."""
        with self._lock:
            self._whole = False
            for end in self._sockets:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._whole = True

    def lead_to(self, host, port):
        """Breaks what goes through it, and leads there."""
        self.cut()
        self._to = (host, port)
        self.mend()

    def close(self):
        self.cut()
        self._listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(here,), daemon=True).start()

    def _carry(self, here):
        with here, suppress(OSError), socket.create_connection(self._to, timeout=5) as there:
            there.settimeout(None)
            with self._lock:
                if not self._whole:
                    return
                self._sockets |= {here, there}
            back = threading.Thread(target=_copy, args=(there, here), daemon=True)
            back.start()
            _copy(here, there)
            back.join()
            with self._lock:
                self._sockets -= {here, there}


def _copy(source, target):
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(address):
    """`address` is a host and a port with a colon between."""
    host, _, port = address.rpartition(":")
    wire = Wire(host, int(port))
    try:
        yield wire
    finally:
        wire.close()
