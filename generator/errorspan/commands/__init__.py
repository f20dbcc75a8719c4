"""The command line.

At home here: one module for each group of commands, their options, and how they speak to a person at a terminal. Not at
home: anything that a build needs too; only commands import from here.
"""
