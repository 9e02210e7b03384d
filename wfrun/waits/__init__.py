"""Who waits for what on an event loop, what could still wake them, and the proof that nothing can.

Written for the moment when something seems wrong: nothing here runs while all is well.
"""

from wfrun.waits.cancelling import cancel_task
from wfrun.waits.graph import WaitGraph, WaitingTask, wait_graph
from wfrun.waits.isolated import stuck_tasks
from wfrun.waits.wakers import Waker, children_text, descriptors, find_wakers, foreign_threads, has_children, timers

__all__ = [
    "WaitGraph",
    "WaitingTask",
    "Waker",
    "cancel_task",
    "children_text",
    "descriptors",
    "find_wakers",
    "foreign_threads",
    "has_children",
    "stuck_tasks",
    "timers",
    "wait_graph",
]
