"""A seeded shop whose truth is known: who left, when and why, who grew, what each customer cost to win."""
