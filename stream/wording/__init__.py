"""What is known of a customer and of an alert, in plain words. Nothing here decides anything."""
