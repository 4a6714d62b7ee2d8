"""Input events: CloudEvents envelopes and the payload of each type."""
