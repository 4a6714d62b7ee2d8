"""One attempt: an HTTP POST that reaches only what it may reach, and reads only so much of the answer."""
