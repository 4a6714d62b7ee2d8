"""What is to be said where no purchase has a price: it is no chance that there is no alert."""

NO_ALERT_EVER = (
    "no purchase has a price, so nobody has a value and no alert can ever be raised: "
    "map a column of money (order_total, line_total or unit_price; docs/import.md)"
)
