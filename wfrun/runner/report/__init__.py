"""What people and machines read of a session."""
