"""Judgement: what the facts say of one customer at one instant, and what follows for tier, stage and
alerts."""
