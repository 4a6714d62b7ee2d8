"""Readers of real data: each yields event structs in time order, ids the same every time."""
