"""What is decided about a delivery, pure: no I/O, clock or random number. Instants are arguments."""
