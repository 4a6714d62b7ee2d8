"""Models of the population, fitted to a history of events or to profiles; the result is a model record."""
