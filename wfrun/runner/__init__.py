"""The runner: discover → plan → run → record → compare → report."""
