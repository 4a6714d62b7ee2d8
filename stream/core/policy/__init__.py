"""The policy: every threshold, weight and text that the business sets, with its default."""
