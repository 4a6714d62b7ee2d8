"""The text of a cell becomes an exact amount or an instant; text that could mean two things is not read."""
