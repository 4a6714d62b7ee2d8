"""Task: a lane, one partition number of all inputs: its merge by time, its clock, its flush batches."""
