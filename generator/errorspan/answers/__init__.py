"""What the seven steps, and the solvers, answer.

At home here: a model for each step's output, what the judge's two answers say together, and what two solvers found.
Not at home: whether an answer is good (`checks`), who is asked for it (`steps`), and where it came from (`record`).
"""
