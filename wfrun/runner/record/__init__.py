"""What a session leaves on disk: its record, and baselines."""
