"""What students hand in, and what it is worth.

At home here: the rules as the exercise's script has them, reading strangers' files, a gradebook, and the forms in which
it is told. Not at home: the exercise itself and its page; they are the site's.
"""
