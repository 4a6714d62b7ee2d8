"""Start: from which offset each input partition is read, and checks that topics are the ones read before."""
