"""Your own files become events: a mapping names the columns, and every line is accounted for."""
