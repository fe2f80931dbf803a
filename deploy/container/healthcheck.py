"""The health check of a container: whether the process answers. Exits with 0 if it does."""

from __future__ import annotations

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen

SECONDS_MAX = 2


def main() -> int:
    """Asks for liveness, not for readiness: a database that is away is no reason to restart this process."""
    url = f"http://127.0.0.1:{os.environ.get('HEADROOM_PORT', '8000')}/healthz"
    try:
        with urlopen(url, timeout=SECONDS_MAX) as answer:
            return 0 if answer.status == 200 else 1
    except (URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
