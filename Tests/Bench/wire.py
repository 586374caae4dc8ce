"""What goes over a connection, counted; and a plain copy over one, as a limit."""

import os
import socket
import threading
import time


class Meter:
    """Passes connections to a port on, and counts their bytes."""

    def __init__(self, port):
        self.bytes = 0
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def carry(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                self.bytes += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def tcp_copy(source, target):
    """Seconds to bring a file over TCP onto the disk, by the kernel's shortest way."""
    listener = socket.create_server(("127.0.0.1", 0))

    def send():
        connection, _ = listener.accept()
        with connection, open(source, "rb") as file:
            connection.sendfile(file)
    sender = threading.Thread(target=send)
    sender.start()
    begin = time.perf_counter()
    buffer = bytearray(1 << 20)
    with socket.create_connection(listener.getsockname()) as connection, open(target, "wb", buffering=0) as file:
        while count := connection.recv_into(buffer):
            file.write(memoryview(buffer)[:count])
        os.fdatasync(file.fileno())
    took = time.perf_counter() - begin
    sender.join()
    listener.close()
    os.unlink(target)
    return took
