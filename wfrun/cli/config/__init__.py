"""Options that come from a file or from the environment instead of the command line."""
