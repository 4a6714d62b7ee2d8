"""What a profile remembers of orders and events, so that whatever comes again counts once."""
