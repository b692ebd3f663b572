"""The folder of the embedded stack's data, which holds a key, a secret and customers: for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

OURS = ("sojourn.", "temporal.", "connection.json", "secret", "lock")


def keep_private(data: Path) -> None:
    """Make the folder where there is none, and let nobody else in. So it is for all files that this process makes.

    A folder in which others keep things too, such as somebody's home, stays as open as it is.
    """
    os.umask(0o077)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == data.stat().st_uid and all(file.name.startswith(OURS) for file in data.iterdir()):
        data.chmod(0o700)
