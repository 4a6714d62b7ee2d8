"""Lines of a file to orders: amounts and times of one line, lines gathered into orders, returns matched."""
