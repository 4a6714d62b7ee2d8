"""Input: group membership, fetching, decoding records and delivering them to tasks."""
