"""Exercises out of the course, into packages for learning platforms.

At home here: what packages share, SCORM, QTI. Not at home: the exercise itself and its script; they are the site's.
"""
