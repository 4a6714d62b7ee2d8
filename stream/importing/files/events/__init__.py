"""Rows become events: lines of orders become purchases and refunds, all other rows one event each."""
