"""What looks closer at cases while they run: debugger, warnings, profile, trace, coverage."""
