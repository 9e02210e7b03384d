"""What a process can tell about itself while it works: time, tails, memory, pauses, and the machine below.

Children import single modules of this package, so nothing is imported here: start-up is part of what is measured.
"""
