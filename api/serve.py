"""The app on a port of this machine, until cancelled."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from api.connections import ARRIVAL, Connection
from journeys.problems import Conflict, SojournError

GRACE_SECONDS = 20
SWITCH = 0.001


async def serve(app: FastAPI, host: str, port: int, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve *app* until cancelled; requests under way are then answered, and everything accepted is committed.

    *ready* is called with the address once it listens; port 0 takes a free one.
    Raises Conflict where the port is taken, before anything is started.
    """
    listening = listen(host, port)
    # Before anybody asks, since it takes long, and in no thread: it builds the routes, which two cannot do at once.
    app.openapi()
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=int(ARRIVAL),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await _until_started(server, serving)
        _let_others_through()
        if ready:
            ready(_address(listening))
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.wait([serving])
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises Conflict, saying what to do."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"Port {port} on {host} is taken. End the process that has it, or set SOJOURN_PORT to another one."
        else:
            what = (
                f"Cannot listen on {host}, port {port}: {error.strerror or error}. Set SOJOURN_HOST and SOJOURN_PORT."
            )
        raise Conflict(what) from error
    # Head and body of an answer are two writes: without it, the second waits 40 ms for the first to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class _Server(uvicorn.Server):
    """Leaves signals alone: the entry point has its own, and cancels us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _until_started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            raise SojournError("The API could not start; the log says why.")
        await asyncio.sleep(0.01)


def _let_others_through() -> None:
    """Bound how long a thread that computes, or a collection of garbage, keeps requests from being answered."""
    sys.setswitchinterval(SWITCH)
    gc.freeze()  # what is loaded stays loaded: to look through all of it again takes 50 ms


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
