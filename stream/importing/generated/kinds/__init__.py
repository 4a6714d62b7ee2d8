"""Shops of one kind (Christmas, clockwork, drift ...) that know each customer's true chance of buying."""
