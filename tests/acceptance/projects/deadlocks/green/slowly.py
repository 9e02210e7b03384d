"""What another process runs."""

import time


def slowly(duration_s: float) -> float:
    """Return the argument after as many seconds."""
    time.sleep(duration_s)
    return duration_s
