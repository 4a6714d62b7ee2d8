"""State: the rows of a partition, their timers and their store, and how they come back from the changelog."""
