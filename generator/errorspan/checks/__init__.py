"""What a schema cannot say of an answer.

At home here: functions that find faults in answers, and what they look with: words that give an answer away, the places
where an excerpt's lines were written. Not at home: which step has which check; the table in `steps` says that.
"""
