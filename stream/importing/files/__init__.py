"""Your own files become events: a mapping says what each column is, and every line is accounted for."""
