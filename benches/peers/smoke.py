"""Starts every peer and checks that it answers: python smoke.py, with the thrift package and, for tonic, grpcio."""

import math
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "clients/python/src/calculate"))

from _gen import Calculate, ttypes  # noqa: E402
from thrift.protocol.TBinaryProtocol import TBinaryProtocol  # noqa: E402
from thrift.transport import TSocket, TTransport  # noqa: E402

FLOOD_FRAMES = 50_000


def start(name):
    binary = HERE / "target/release" / name
    peer = subprocess.Popen([binary, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    return peer, int(peer.stdout.readline().removeprefix("listening on 127.0.0.1:"))


def stop(peer):
    peer.send_signal(signal.SIGTERM)
    peer.wait(timeout=1)


def check_thrift(port):
    transport = TTransport.TFramedTransport(TSocket.TSocket("127.0.0.1", port))
    transport.open()
    client = Calculate.Client(TBinaryProtocol(transport))
    assert client.Square(ttypes.Number(9.0)).value == 3.0
    assert client.Cal(ttypes.Number(9.0)).value == 81.0
    assert math.copysign(1.0, client.Square(ttypes.Number(-0.0)).value) == -1.0
    try:
        client.Square(ttypes.Number(-4.0))
    except ttypes.DomainError as error:
        assert error.value == -4.0
    else:
        raise AssertionError("Square(-4) is a DomainError")
    check_pipeline(port, FLOOD_FRAMES, reply, chunk=1 << 20)
    check_pipeline(port, 20, reply, chunk=7)
    transport.close()


def check_echo(port):
    check_pipeline(port, FLOOD_FRAMES, call, chunk=1 << 20)
    check_pipeline(port, 20, call, chunk=7)


def check_pipeline(port, count, expected, chunk):
    """Sends `count` calls in writes of `chunk` bytes; the answers must be the expected ones, in order."""
    calls = b"".join(call(number) for number in range(count))
    replies = b"".join(expected(number) for number in range(count))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def send():
            for start in range(0, len(calls), chunk):
                stream.sendall(calls[start : start + chunk])

        sender = threading.Thread(target=send)
        sender.start()
        if count == FLOOD_FRAMES:
            sender.join(timeout=0.5)  # Not read until the peer's socket is full, or all is sent.
        received = bytearray()
        while len(received) < len(replies):
            data = stream.recv(1 << 16)
            assert data, f"closed after {len(received)} of {len(replies)} bytes"
            received += data
        sender.join()
    assert received == replies


def call(number):
    return frame(b"\x80\x01\x00\x01", number, b"\x0c\x00\x01" + struct_number(number * number) + b"\x00")


def reply(number):
    return frame(b"\x80\x01\x00\x02", number, b"\x0c\x00\x00" + struct_number(number) + b"\x00")


def frame(kind, sequence, fields):
    body = kind + struct.pack(">i", 6) + b"Square" + struct.pack(">i", sequence) + fields
    return struct.pack(">i", len(body)) + body


def struct_number(value):
    return b"\x04\x00\x01" + struct.pack(">d", value) + b"\x00"


def check_grpc(port):
    import grpc

    def method(channel, name):
        return channel.unary_unary(
            f"/calculate.Calculate/{name}",
            request_serializer=lambda value: b"\x09" + struct.pack("<d", value),
            response_deserializer=lambda data: struct.unpack("<d", data[1:])[0],
        )

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert method(channel, "Square")(9.0) == 3.0
        assert method(channel, "Cal")(9.0) == 81.0
        try:
            method(channel, "Square")(-4.0)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        else:
            raise AssertionError("Square(-4) is INVALID_ARGUMENT")


CHECKS = {
    "echo-epoll": check_echo,
    "bare-loop": check_thrift,
    "apache-threaded": check_thrift,
    "volo": check_thrift,
    "tonic": check_grpc,
}

for name, check in CHECKS.items():
    peer, port = start(name)
    try:
        check(port)
        print(f"{name}: ok")
    except ImportError as error:
        print(f"{name}: skipped, {error}")
    finally:
        stop(peer)
