"""The read store kept up with the topics of a running shop, and what people say of alerts written to them."""
