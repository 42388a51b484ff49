"""What an officer types: text → Command or CommandError, and back.

`parse` knows the plan's codes, names and units, and nothing of what is open.
"""
