"""Task: one partition number of all inputs (a lane): its records merged by time, its clock, its batch
to flush.
"""
