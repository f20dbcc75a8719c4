"""What is kept of a run: its answers on disk, and where each came from.

At home here: the manifest, the folder of answers, the journal of replies that are not yet answers.
Not at home: what the answers mean together (`runs`), and what speaks for a key beside them (`proof`).
"""
