"""State: the table of rows of a partition, its store on disk, its recovery from the changelog, its timers."""
