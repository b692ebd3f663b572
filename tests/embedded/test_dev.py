"""``sojourn dev`` as a real process: it starts, works, survives restarts, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from terminal.client import find_connection
from terminal.data import keep_private
from terminal.temporal import Place, beside, connected
from tests.programs import EXAMPLE, FREE_PORTS, PATIENCE, Program, environment, program, temporals
from workflows.client import check_namespace
from workflows.upgrade import check_upgrade

READY = r"Sojourn is running"


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """As it was: keep_private sets it for a process of its own."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def sojourn(*arguments: str, folder: Path, data: str = ".sojourn") -> str:
    """What a command beside the stack prints; it must succeed."""
    with program(*arguments, folder=folder, SOJOURN_DATA=data) as command:
        assert command.wait() == 0, command.printed
        return command.printed


def started(folder: Path, *more: str) -> Program:
    return Program("dev", *FREE_PORTS, *more, folder=folder)


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def test_everything_is_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    first = started(tmp_path)
    try:
        first.until(READY)
        assert {file.name: oct(file.stat().st_mode & 0o077) for file in folder_and_files(tmp_path / ".sojourn")} == {
            file.name: "0o0" for file in folder_and_files(tmp_path / ".sojourn")
        }
        key = first.until(r"Key +(\S+)")[1]
        sojourn("apply", str(EXAMPLE), folder=tmp_path)
        receipt = sojourn("event", "abandoned-cart", "ada", "cart_id=c-1", "total=60", folder=tmp_path)
        first.until(r"Email to ada@example.com")
        assert "● started  abandoned-cart/ada/" in receipt
        assert first.signal(signal.SIGINT) == 0
    finally:
        first.kill()
    assert "Traceback" not in first.printed
    assert first.printed.endswith("Ended. Everything is kept for the next start.\n")
    assert temporals(tmp_path) == []

    second = started(tmp_path)
    try:
        second.until(READY)
        assert second.until(r"Key +(\S+)")[1] == key
        assert "at opened since day 0" in sojourn("runs", "--active", folder=tmp_path)
        bought = sojourn("event", "purchase-completed", "ada", "cart_id=c-1", "total=60", folder=tmp_path)
        assert "■ exited" in bought
        assert "in flight 0: from now on nothing is sent" in bought
        assert second.signal(signal.SIGTERM) == 0
    finally:
        second.kill()
    assert "Email to" not in second.printed
    assert temporals(tmp_path) == []


def folder_and_files(folder: Path) -> list[Path]:
    return [folder, *folder.iterdir()]


def test_a_namespace_that_is_named_is_made_and_known_to_commands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with program("dev", *FREE_PORTS, folder=tmp_path, TEMPORAL_NAMESPACE="the shop") as dev:
        dev.until(READY)
        data = tmp_path / ".sojourn"
        kept, place = find_connection("", "", data), beside(data)
        asyncio.run(_worked_in(place))
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "another")
        assert beside(data) == (place.address, "another")
        monkeypatch.setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
        assert beside(data) == (None, None)
        assert dev.signal(signal.SIGINT) == 0

    assert place.namespace == "the shop"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/namespaces/the%20shop/workflows", kept.runs_page)
    assert "Traceback" not in dev.printed


async def _worked_in(place: Place) -> None:
    client = await connected(place)
    await check_namespace(client)
    assert (await check_upgrade(client, "sojourn", sample=1)).running == 0


def test_what_it_prints_to_try_works_when_it_is_pasted(tmp_path: Path) -> None:
    with program("dev", *FREE_PORTS, "--data", "my data", folder=tmp_path) as dev:
        dev.until(READY)
        dev.until(r"runs\n")
        pasted = "".join(
            line.removeprefix("  ") for line in dev.printed.partition("same folder:\n")[2].splitlines(True)
        )

        tried = subprocess.run(
            ["bash", "-euc", pasted], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )

        assert tried.returncode == 0, (pasted, tried)
        assert "published v1" in tried.stdout
        assert '"did":"started"' in tried.stdout.replace(" ", "")
        run = tried.stdout.splitlines()[-1].split()[0]
        assert run.startswith("abandoned-cart/ada/")

        cancelled = sojourn("cancel", run, "--reason", "wrong cart, says Nell", folder=tmp_path, data="my data")

        assert f"{run} is cancelled" in cancelled
        assert eventually(lambda: ": wrong cart, says Nell" in sojourn("runs", folder=tmp_path, data="my data"))
        with program("cancel", "no/such/run", "--reason", "x", folder=tmp_path, SOJOURN_DATA="my data") as again:
            assert again.wait() == 1, again.printed


@pytest.mark.parametrize("there", ["connection.json", "sojourn.db"])
def test_a_folder_of_an_earlier_start_is_closed_to_others(tmp_path: Path, there: str) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / there).touch()

    keep_private(data)

    assert data.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_use_too_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "sojourn.db").touch()
    (tmp_path / "photos").mkdir()
    tmp_path.chmod(0o755)

    keep_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_kill_leaves_no_temporal_behind(tmp_path: Path) -> None:
    with program("dev", *FREE_PORTS, folder=tmp_path) as dev:
        dev.until(READY)
        assert len(temporals(tmp_path)) == 1

        dev.kill()

        assert eventually(lambda: temporals(tmp_path) == [])


def test_it_ends_with_its_temporal_and_says_why(tmp_path: Path) -> None:
    with program("dev", *FREE_PORTS, folder=tmp_path) as dev:
        dev.until(READY)

        [server] = temporals(tmp_path)
        os.kill(server, signal.SIGKILL)

        assert dev.wait() == 3
        assert "Temporal ended by itself" in dev.printed
        assert "temporal.log" in dev.printed
        assert "Traceback" not in dev.printed


def test_all_taken_ports_are_named_with_what_changes_them(tmp_path: Path) -> None:
    options = ("--port", "--temporal-port", "--temporal-ui-port")
    with ExitStack() as sockets:
        taken = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in options]
        ports = [listening.getsockname()[1] for listening in taken]
        chosen = [word for option, port in zip(options, ports, strict=True) for word in (option, str(port))]

        with program("dev", *chosen, folder=tmp_path) as dev:
            assert dev.wait() == 1

    for option, port in zip(options, ports, strict=True):
        setting = "SOJOURN_" + option.strip("-").replace("-", "_").upper()
        assert f"Port {port} for " in dev.printed
        assert f"{option} {port + 1} or {setting}={port + 1}." in dev.printed
    assert "Traceback" not in dev.printed
    assert temporals(tmp_path) == []


def test_two_stacks_cannot_share_a_folder(tmp_path: Path) -> None:
    with program("dev", *FREE_PORTS, folder=tmp_path) as first:
        first.until(READY)

        with program("dev", *FREE_PORTS, folder=tmp_path) as second:
            assert second.wait() == 1

        assert "--data or SOJOURN_DATA" in second.printed
        assert len(temporals(tmp_path)) == 1


def test_a_temporal_that_is_named_is_used_and_none_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with program("dev", *FREE_PORTS, folder=tmp_path, TEMPORAL_ADDRESS=f"127.0.0.1:{port}") as dev:
        assert dev.wait() == 3

    assert f"No Temporal answers at 127.0.0.1:{port}" in dev.printed
    assert "unset TEMPORAL_ADDRESS" in dev.printed
    assert not (tmp_path / ".sojourn" / "temporal.db").exists()
