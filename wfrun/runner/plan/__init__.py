"""Which cases run, in which mode, with which seed."""
