"""The web process: uvicorn in the calling thread, stopped from any other."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from newsletter.errors import SettingError
from newsletter.newsroom import Newsroom
from newsletter.web.app import make_app
from newsletter.web.connections import Connection

__all__ = ["WebServer", "serve"]

LAST_WORDS_SECONDS = 5


class WebServer:
    """The pages of one desk on one address. The port is taken at once, so with `port` 0 it is known before `run`.

    Raises `SettingError` when the address cannot be listened on.
    """

    def __init__(self, room: Newsroom, host: str, port: int) -> None:
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family)
        except OSError as error:
            raise SettingError(f"{host}:{port} cannot be listened on: {error.strerror}; try another --port") from None
        # asyncio does so only where the socket says that it is TCP, which one of `create_server` does not: without it a
        # small answer waits 40 ms for the client's delayed ACK (RFC 1122 section 4.2.3.4).
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self.app = make_app(room)
        config = uvicorn.Config(
            self.app,
            http=Connection,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Which proxies are believed, and how far, is said in `proxies.py`.
            proxy_headers=False,
            timeout_graceful_shutdown=LAST_WORDS_SECONDS,
        )
        self._server = _Server(config)

    def run(self) -> None:
        """Answer until `stop`, or in the main thread until SIGINT or SIGTERM; then returns."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Finish what is being answered, take nothing new; from any thread, also before `run`."""
        self._server.should_exit = True


def serve(room: Newsroom, host: str, port: int) -> None:
    """Show the desk's pages there until a signal comes."""
    WebServer(room, host, port).run()


class _Server(uvicorn.Server):
    """uvicorn's server without its last act: it would raise the signal again, and what its caller still has to
    close would stay open."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
