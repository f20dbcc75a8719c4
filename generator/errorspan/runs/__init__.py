"""What happened: runs, told from their answers.

At home here: runs, attempts and totals, how asking goes on, what finishing a run can cost, and whether students see its
exercise. Not at home: asking itself (`pipeline`, `models`), and how a run looks (`site`).
"""
