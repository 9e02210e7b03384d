"""Whether this machine is fit to measure on, line by line, and how small a change it can show."""
