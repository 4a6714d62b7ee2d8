"""What is known of one customer, wherever it is kept: erased with a report for each store, or exported."""
