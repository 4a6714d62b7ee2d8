"""The business's questions answered from history: who was won, who grew, who stayed, at what cost,
and why people leave.
"""
