"""What speaks for an answer key: execution, and people's word.

At home here: the sandbox and its limits, the running of tests on variants of an exercise, what that showed, and
reviews. Not at home: whether an exercise is published for it; `runs.publishing` says that.
"""
