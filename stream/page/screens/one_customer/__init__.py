"""The page of one customer: figures, words of `stream explain`, and pictures."""
