"""The seven steps, as data, and what they ask.

At home here: the table of the steps and of blind solving, the prompts, one file a step, and the requests made from
them. Not at home: the order of play (`pipeline`), and any case for a step by its name.
"""
