"""Readers of real data: each yields `stream.core.event` structs in time order, ids the same every time."""
