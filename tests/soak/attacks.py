"""What a hostile peer does. Each attack is a function of a place to attack; it returns soon and leaves nothing behind."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where the server listens: one port for all that is TCP, and a unix socket."""

    host: str
    port: int
    unix: str

    def connect(self, rng: random.Random, source: str = "127.0.0.1") -> socket.socket:
        if rng.random() < 0.3 and source == "127.0.0.1":
            stream = socket.socket(socket.AF_UNIX)
            stream.settimeout(10)
            stream.connect(self.unix)
            return stream
        stream = socket.create_connection((self.host, self.port), timeout=10, source_address=(source, 0))
        if rng.random() < 0.2 and source == "127.0.0.1":
            return TLS.wrap_socket(stream)
        return stream


TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # whoever attacks does not care whom
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE


def square(number: int = 1) -> bytes:
    return message(struct.pack("!bhbhd", 12, 1, 4, 1, 9.0) + b"\0\0", number)


def message(body: bytes, number: int = 1) -> bytes:
    whole = b"\x80\x01\x00\x01\x00\x00\x00\x06Square" + struct.pack("!i", number) + body
    return struct.pack("!I", len(whole)) + whole


def header_frame(magic: int, header: bytes, payload: bytes) -> bytes:
    header += b"\0" * (-len(header) % 4)
    frame = struct.pack("!HHIH", magic, 0, 9, len(header) // 4) + header + payload
    return struct.pack("!I", len(frame)) + frame


def reset(stream: socket.socket) -> None:
    if stream.family != socket.AF_UNIX:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def come_and_go(place: Place, rng: random.Random) -> None:
    streams = [place.connect(rng) for _ in range(50)]
    for stream in streams:
        rng.choice((reset, socket.socket.close))(stream)


def stop_in_the_middle(place: Place, rng: random.Random) -> None:
    for _ in range(20):
        stream = place.connect(rng)
        call = square()
        stream.sendall(call[: rng.randrange(1, len(call))])
        rng.choice((reset, socket.socket.close))(stream)


def send_noise(place: Place, rng: random.Random) -> None:
    starts = (b"", b"\x80\x01\x00\x01", b"\x82\x21", b"\0\0\0\x3c\x80\x01", b"\0\0\0\x3c\x10\x00", b"\0\0\0\x3c\x0f\xff", b"\x16\x03\x01")
    for _ in range(20):
        stream = place.connect(rng)
        stream.sendall(rng.choice(starts) + rng.randbytes(rng.randrange(200)))
        drain(stream, 0.2)


def spoil_a_message(place: Place, rng: random.Random) -> None:
    for _ in range(20):
        stream, call = place.connect(rng), bytearray(square())
        call[rng.randrange(4, len(call))] ^= 1 << rng.randrange(8)
        stream.sendall(call)
        drain(stream, 0.2)


def wait_for_the_deadline(place: Place, rng: random.Random) -> None:
    streams = [place.connect(rng) for _ in range(20)]
    for stream in streams:
        stream.sendall(rng.choice((b"\0", square()[:20], b"\x16\x03\x01\x02\x00\x01", struct.pack("!I", 16_000_000))))
    for stream in streams:
        drain(stream, 5)


def send_byte_by_byte(place: Place, rng: random.Random) -> None:
    stream = place.connect(rng)
    began = time.monotonic()
    try:
        while time.monotonic() - began < 6:
            stream.sendall(b"\0")
            time.sleep(0.3)
    finally:
        stream.close()


def never_read(place: Place, rng: random.Random) -> None:
    stream = place.connect(rng)
    if stream.family != socket.AF_UNIX:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.settimeout(4)
    calls = square() * 2000
    try:
        for _ in range(20):
            stream.sendall(calls)
    finally:
        stream.close()


def send_bombs(place: Place, rng: random.Random) -> None:
    body = b"\x0b\x00\x21" + struct.pack("!I", 4_000_000) + bytes(4_000_000) + b"\0"
    payload, times = message(body)[4:], rng.choice((1, 1, 2, 4))
    for _ in range(times):
        payload = zlib.compress(payload)
    stream = place.connect(rng)
    stream.sendall(header_frame(0x1000, bytes([0, times]) + b"\x01" * times, payload) * 4)
    drain(stream, 5)


def lie_about_lengths(place: Place, rng: random.Random) -> None:
    huge = b"\xff\xff\xff\xff\x0f"
    frames = (
        header_frame(0x0FFF, b"\0\0\x01" + huge + b"\1k\1v", square()[4:]),
        header_frame(0x0FFF, b"\0" + huge, square()[4:]),
        header_frame(0x1000, b"\0\0\x01\xff\xff\0\1k\0\1v", square()[4:]),
        message(b"\x0f\0\x21\x08\x7f\xff\xff\xff"),
        message(b"\x0d\0\x21\x0b\x0c\x00\x0f\x42\x40"),
        message(b"\x0b\0\x21\x7f\xff\xff\xff"),
        message(b"\x0c\0\x09" * 5000),
        struct.pack("!i", -1) + square()[4:],
        struct.pack("!I", 2**31 - 1) + square()[4:],
    )
    for _ in range(10):
        stream = place.connect(rng)
        stream.sendall(rng.choice(frames))
        drain(stream, 0.3)


def fill_the_memory(place: Place, rng: random.Random) -> None:
    start = struct.pack("!I", 16_000_000) + square()[4:20]
    streams = [place.connect(rng) for _ in range(4)]
    for stream in streams:
        stream.sendall(start + bytes(8_000_000))
    for stream in streams:
        stream.close()


def pretend_to_be_a_proxy(place: Place, rng: random.Random) -> None:
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    headers = (
        signature + b"\x21\x11\xff\xff" + rng.randbytes(50),
        signature + b"\x21\x11\0\x0b" + rng.randbytes(11) + square(),
        signature + b"\x21\x21\0\x24" + rng.randbytes(36) + square(),
        signature + b"\x99\x11\0\x0c" + rng.randbytes(12),
        (signature + b"\x21\x11\0\x0c" + rng.randbytes(12)) * 2,
    )
    for _ in range(10):
        stream = place.connect(rng, source=rng.choice(("127.0.0.1", "127.0.0.2")))
        stream.sendall(rng.choice(headers))
        drain(stream, 0.3)


def speak_something_else(place: Place, rng: random.Random) -> None:
    for said in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01\0\x02\x01\0"):
        stream = place.connect(rng)
        stream.sendall(said)
        drain(stream, 1)


def drain(stream: socket.socket, seconds: float) -> None:
    """Reads what comes for so long, or until the server closes."""
    stream.settimeout(seconds)
    try:
        while stream.recv(65536):
            pass
    except OSError:
        pass
    finally:
        stream.close()


ATTACKS: tuple[Callable[[Place, random.Random], None], ...] = (
    come_and_go,
    stop_in_the_middle,
    send_noise,
    spoil_a_message,
    wait_for_the_deadline,
    send_byte_by_byte,
    never_read,
    send_bombs,
    lie_about_lengths,
    fill_the_memory,
    pretend_to_be_a_proxy,
    speak_something_else,
)
