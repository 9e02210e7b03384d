"""What a suite author imports. Names are loaded when first used, so that ``import wfrun`` costs nothing."""

from __future__ import annotations

# Type checkers know this name; importing it from typing would cost half of what `wfrun --version` may take.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from wfrun.authoring.context import Context
    from wfrun.authoring.info import Kind
    from wfrun.authoring.levels import fixture
    from wfrun.authoring.suite import Suite
    from wfrun.authoring.targets import HistoryEvent, WorkflowTarget
    from wfrun.authoring.workloads import (
        OpenLoad,
        WorkItem,
        create_processing_pipeline,
        generate_realistic_workload,
        open_load,
        simulate_network_delay,
    )
    from wfrun.clock import Clock, ManualClock, SystemClock
    from wfrun.concurrency.errors import Unsupported
    from wfrun.errors import WfrunError
    from wfrun.faults import FaultPlan, InjectedFault
    from wfrun.measure.memory import MemorySpan
    from wfrun.version import __version__

__all__ = [
    "Clock",
    "Context",
    "FaultPlan",
    "HistoryEvent",
    "InjectedFault",
    "Kind",
    "ManualClock",
    "MemorySpan",
    "OpenLoad",
    "Suite",
    "SystemClock",
    "Unsupported",
    "WfrunError",
    "WorkItem",
    "WorkflowTarget",
    "__version__",
    "create_processing_pipeline",
    "fixture",
    "generate_realistic_workload",
    "open_load",
    "simulate_network_delay",
]

_HOMES = {
    "Clock": "wfrun.clock",
    "Context": "wfrun.authoring.context",
    "FaultPlan": "wfrun.faults",
    "HistoryEvent": "wfrun.authoring.targets",
    "InjectedFault": "wfrun.faults",
    "Kind": "wfrun.authoring.info",
    "ManualClock": "wfrun.clock",
    "MemorySpan": "wfrun.measure.memory",
    "OpenLoad": "wfrun.authoring.workloads",
    "Suite": "wfrun.authoring.suite",
    "SystemClock": "wfrun.clock",
    "Unsupported": "wfrun.concurrency.errors",
    "WfrunError": "wfrun.errors",
    "WorkItem": "wfrun.authoring.workloads",
    "WorkflowTarget": "wfrun.authoring.targets",
    "__version__": "wfrun.version",
    "create_processing_pipeline": "wfrun.authoring.workloads",
    "fixture": "wfrun.authoring.levels",
    "generate_realistic_workload": "wfrun.authoring.workloads",
    "open_load": "wfrun.authoring.workloads",
    "simulate_network_delay": "wfrun.authoring.workloads",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'wfrun' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as above

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
