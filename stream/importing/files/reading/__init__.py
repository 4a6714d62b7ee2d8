"""Reading files: rows of text from any format, and text to exact amounts and instants."""
