"""What every text goes through, whoever wrote it.

At home here: faults in words for who can mend them, strict YAML with the line of every key, what is a comment in code
and whether it parses, untrusted text that becomes HTML, and files that are written whole. Not at home: anything that
knows what a topic or an answer is.
"""
