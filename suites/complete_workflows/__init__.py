"""Complete workflows over channels: pipelines, recovery, load, distribution, state, scale."""
