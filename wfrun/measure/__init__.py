"""Measuring inside one process: time, latency, memory, pauses, and the machine it happened on."""
