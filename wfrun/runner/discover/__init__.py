"""Paths to suite files to cases; a suite that does not load is a result, not a crash."""
