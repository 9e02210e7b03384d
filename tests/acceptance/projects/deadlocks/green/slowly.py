"""How long to wait, how often, and what threads and other processes run."""

import os
import time

WAIT_S = float(os.environ.get("GREEN_WAIT_S", "1.2"))
TIMES = {"turn": list(range(int(os.environ.get("GREEN_TIMES", "1"))))}


def slowly(duration_s: float) -> float:
    """Return the argument after as many seconds."""
    time.sleep(duration_s)
    return duration_s
