"""What a suite file touches."""
