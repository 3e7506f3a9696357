"""``python -m benchmarks.slow_disk HOME PORT MILLISECONDS``: ``registry serve`` where every commit takes longer."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from sqlalchemy import event

from registry.api.server import run
from registry.bootstrap import opened
from registry.settings import load_settings


def main() -> None:
    """Serve."""
    home, port, delay = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1e3
    with opened(load_settings(home)) as application:
        event.listen(application.database.engine, "commit", lambda _connection: time.sleep(delay))
        run(application, "127.0.0.1", port)


if __name__ == "__main__":
    main()
