"""What each page shows, read from the store as plain values: no HTML and no HTTP here."""
