"""A session held against a baseline, metric by metric."""
