"""The options of the commands, each declared once: its names, its panel, and its help with default and unit.

Values arrive as text and become a session's choices in :mod:`wfrun.cli.choices`, whose messages say what is accepted.
"""
