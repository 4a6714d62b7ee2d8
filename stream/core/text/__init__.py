"""Text: sentiment and themes of what customers write (English)."""
