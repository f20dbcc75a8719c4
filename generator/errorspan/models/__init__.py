"""The door to models.

At home here: the client, the only import of the SDK, the secrets that it takes out of what others say, and how a reply
becomes an output or faults. Not at home: what is asked (`steps`), and when (`pipeline`).
"""
