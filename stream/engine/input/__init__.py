"""Input: a member of the consumer group, its fetches, and the way of records to the lanes, without a gap."""
