"""Who waits for what on an event loop, what could still wake them, and the proof that nothing can.

Read-only, standard library only, and written for the moment when something is wrong: nothing here runs while all is well.
"""

from wfrun.waits.graph import WaitGraph, WaitingTask, wait_graph
from wfrun.waits.isolated import stuck_tasks
from wfrun.waits.wakers import Waker, find_wakers, foreign_threads

__all__ = ["WaitGraph", "WaitingTask", "Waker", "find_wakers", "foreign_threads", "stuck_tasks", "wait_graph"]
