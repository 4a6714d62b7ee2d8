"""The dashboard: all customers as pages for people, from a read store that can be thrown away."""
