"""Channels, and what is built on them. Names are loaded when first used, so that one costs nothing of the others.

A module is never called like a function it holds, or importing the one would hide the other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfrun.concurrency.breaker import BreakerRules, BreakerState, CircuitBreaker, CircuitOpen, Transition
    from wfrun.concurrency.byte_channel import ByteChannel
    from wfrun.concurrency.channel import Channel
    from wfrun.concurrency.channel_facts import ByteChannelStatistics, ChannelMode, ChannelStatistics
    from wfrun.concurrency.checkpoint import (
        Checkpoint,
        CheckpointError,
        CheckpointStore,
        DamagedCheckpoint,
        LoadedCheckpoint,
        NewerCheckpoint,
    )
    from wfrun.concurrency.errors import (
        ChannelClosed,
        ChannelError,
        ChannelTimeout,
        EndOfChannel,
        InvalidCapacity,
        ModeViolation,
        Unsupported,
        WouldBlock,
        WrongEventLoop,
    )
    from wfrun.concurrency.groups import collect_errors, fail_fast
    from wfrun.concurrency.pipeline import Pipeline, PipelineRun, SourceFailed
    from wfrun.concurrency.pool import ErrorPolicy, ItemFailed, ItemFailure, PoolReport, WorkerPool
    from wfrun.concurrency.priority import PriorityChannel
    from wfrun.concurrency.processes.errors import (
        ChildFailed,
        FunctionNotImportable,
        ItemNotPicklable,
        WorkerItemFailed,
        WorkerStartFailed,
    )
    from wfrun.concurrency.processes.pair import ProcessReceiver, ProcessSender
    from wfrun.concurrency.processes.workers import Outcome, ProcessWorkers, WorkersStatistics
    from wfrun.concurrency.rate_limit import TokenBucket
    from wfrun.concurrency.retrying import RetriesExhausted, RetryPolicy, retry
    from wfrun.concurrency.selecting import Selected, select
    from wfrun.concurrency.stages import Stage, StageFailed, StageStatistics
    from wfrun.concurrency.supervision import RestartsExceeded, SupervisionEvent, SupervisionEventKind, Supervisor
    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

__all__ = [
    "BreakerRules",
    "BreakerState",
    "ByteChannel",
    "ByteChannelStatistics",
    "Channel",
    "ChannelClosed",
    "ChannelError",
    "ChannelLike",
    "ChannelMode",
    "ChannelStatistics",
    "ChannelTarget",
    "ChannelTimeout",
    "Checkpoint",
    "CheckpointError",
    "CheckpointStore",
    "ChildFailed",
    "CircuitBreaker",
    "CircuitOpen",
    "DamagedCheckpoint",
    "EndOfChannel",
    "ErrorPolicy",
    "FunctionNotImportable",
    "InvalidCapacity",
    "ItemFailed",
    "ItemFailure",
    "ItemNotPicklable",
    "LoadedCheckpoint",
    "ModeViolation",
    "NewerCheckpoint",
    "Outcome",
    "Pipeline",
    "PipelineRun",
    "PoolReport",
    "PriorityChannel",
    "ProcessReceiver",
    "ProcessSender",
    "ProcessWorkers",
    "RestartsExceeded",
    "RetriesExhausted",
    "RetryPolicy",
    "Selected",
    "SourceFailed",
    "Stage",
    "StageFailed",
    "StageStatistics",
    "SupervisionEvent",
    "SupervisionEventKind",
    "Supervisor",
    "TokenBucket",
    "Transition",
    "Unsupported",
    "WorkerItemFailed",
    "WorkerPool",
    "WorkerStartFailed",
    "WorkersStatistics",
    "WouldBlock",
    "WrongEventLoop",
    "collect_errors",
    "fail_fast",
    "retry",
    "select",
]

_HOMES = {
    "BreakerRules": "breaker",
    "BreakerState": "breaker",
    "ByteChannel": "byte_channel",
    "ByteChannelStatistics": "channel_facts",
    "Channel": "channel",
    "ChannelClosed": "errors",
    "ChannelError": "errors",
    "ChannelLike": "targets",
    "ChannelMode": "channel_facts",
    "ChannelStatistics": "channel_facts",
    "ChannelTarget": "targets",
    "ChannelTimeout": "errors",
    "Checkpoint": "checkpoint",
    "CheckpointError": "checkpoint",
    "CheckpointStore": "checkpoint",
    "ChildFailed": "processes.errors",
    "CircuitBreaker": "breaker",
    "CircuitOpen": "breaker",
    "DamagedCheckpoint": "checkpoint",
    "EndOfChannel": "errors",
    "ErrorPolicy": "pool",
    "FunctionNotImportable": "processes.errors",
    "InvalidCapacity": "errors",
    "ItemFailed": "pool",
    "ItemFailure": "pool",
    "ItemNotPicklable": "processes.errors",
    "LoadedCheckpoint": "checkpoint",
    "ModeViolation": "errors",
    "NewerCheckpoint": "checkpoint",
    "Outcome": "processes.workers",
    "Pipeline": "pipeline",
    "PipelineRun": "pipeline",
    "PoolReport": "pool",
    "PriorityChannel": "priority",
    "ProcessReceiver": "processes.pair",
    "ProcessSender": "processes.pair",
    "ProcessWorkers": "processes.workers",
    "RestartsExceeded": "supervision",
    "RetriesExhausted": "retrying",
    "RetryPolicy": "retrying",
    "Selected": "selecting",
    "SourceFailed": "pipeline",
    "Stage": "stages",
    "StageFailed": "stages",
    "StageStatistics": "stages",
    "SupervisionEvent": "supervision",
    "SupervisionEventKind": "supervision",
    "Supervisor": "supervision",
    "TokenBucket": "rate_limit",
    "Transition": "breaker",
    "Unsupported": "errors",
    "WorkerItemFailed": "processes.errors",
    "WorkerPool": "pool",
    "WorkerStartFailed": "processes.errors",
    "WorkersStatistics": "processes.workers",
    "WouldBlock": "errors",
    "WrongEventLoop": "errors",
    "collect_errors": "groups",
    "fail_fast": "groups",
    "retry": "retrying",
    "select": "selecting",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
