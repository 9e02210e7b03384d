"""The command line: options declared once, commands thin."""
