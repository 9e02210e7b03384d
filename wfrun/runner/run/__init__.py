"""Planned cases to workers over a channel, outcomes back over another."""
