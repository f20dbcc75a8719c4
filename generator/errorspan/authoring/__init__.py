"""What people write: topic files, and what a site sets.

At home here: their models, how they are read, and the prices that a site may correct. Not at home: what a model wrote
(`answers`), and what a person says of a finished exercise (`proof`).
"""
