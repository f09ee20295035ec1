"""A server's TLS by hand, for a test that says which bytes go out together, and which never."""

from __future__ import annotations

import contextlib
import ssl

from fakes import Peer, Request, decode_call


class HandMade:
    """TLS on a Peer of a FakeServer without any."""

    def __init__(self, peer: Peer, context: ssl.SSLContext) -> None:
        self._peer = peer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._plain = b""

    def shake_hands(self, behind: bytes | None = None) -> None:
        """With ``behind``, a record of that goes out together with the last of the handshake."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._peer.send(self._outgoing.read())
                self._read()
            else:
                if behind is not None:
                    self._tls.write(behind)
                self._peer.send(self._outgoing.read())
                return

    def read_call(self) -> Request:
        while len(self._plain) < 4 or len(self._plain) < 4 + int.from_bytes(self._plain[:4], "big"):
            try:
                plain = self._tls.read(65536)
            except ssl.SSLWantReadError:
                self._read()
                continue
            if not plain:  # close_notify
                raise EOFError
            self._plain += plain
        end = 4 + int.from_bytes(self._plain[:4], "big")
        content, self._plain = self._plain[4:end], self._plain[end:]
        return decode_call(content)

    def encrypted(self, *parts: bytes) -> bytes:
        """The bytes of a record for each part."""
        for part in parts:
            self._tls.write(part)
        return self._outgoing.read()

    def close_notify(self) -> bytes:
        with contextlib.suppress(ssl.SSLError):  # "not done yet", as the client has not answered it
            self._tls.unwrap()
        return self._outgoing.read()

    def _read(self) -> None:
        data = self._peer.sock.recv(65536)
        if not data:
            raise EOFError
        self._incoming.write(data)
