"""What runs in a student's browser.

At home here: the engines that run programs there, and where they are kept; the worker in which a program runs, and the
page's side of it; what a real browser showed of a topic's tests. Not at home: the tests' own harnesses (`proof`), which
run there as they are, and what students see of it (`site`).
"""
