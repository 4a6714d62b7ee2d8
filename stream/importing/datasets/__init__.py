"""Public data sets: each module reads one as events in time order, with the same ids at every reading."""
