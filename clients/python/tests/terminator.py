"""What ends TLS in front of a server without it, as a load balancer does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator

from fakes import PATIENCE_S

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.contextmanager
def tls_before(server: str, context: ssl.SSLContext) -> Iterator[str]:
    """Listens with ``context``, passes everything on to ``server``; gives the address."""
    host, _, port = server.rpartition(":")
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()
    address: list[str] = []
    ready = threading.Event()

    async def serve_one(*outside: asyncio.StreamReader | asyncio.StreamWriter) -> None:
        reader, writer = outside
        assert isinstance(reader, asyncio.StreamReader)
        assert isinstance(writer, asyncio.StreamWriter)
        inside = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, inside[1]), pump(inside[0], writer))

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def run() -> None:
        listener = await asyncio.start_server(serve_one, "127.0.0.1", 0, ssl=context)
        address.append(f"127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        ready.set()
        async with listener:
            await stopped.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(PATIENCE_S)
        loop.close()
