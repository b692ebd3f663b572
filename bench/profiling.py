"""Where a worker's CPU goes: samples of its stacks."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

FORMS = {".svg": "flamegraph", ".json": "speedscope", ".txt": "raw"}


@asynccontextmanager
async def sampled(file: Path | None, pid: int) -> AsyncIterator[None]:
    """Sample a process during the block, into *file*, if there is one. Raises RuntimeError without py-spy."""
    if file is None:
        yield
        return
    if not (program := shutil.which("py-spy")):
        raise RuntimeError("There is no py-spy on the PATH, which takes the samples. Install it: pip install py-spy")
    form = FORMS.get(file.suffix, "raw")
    sampling = await asyncio.create_subprocess_exec(
        *(program, "record", "--pid", str(pid), "--output", str(file), "--format", form, "--rate", "200"),
        *("--gil", "--duration", "unlimited"),  # else threads of a pool that wait for work count as busy
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        if sampling.returncode is None:
            sampling.send_signal(signal.SIGINT)  # it writes the file then
        await sampling.wait()
