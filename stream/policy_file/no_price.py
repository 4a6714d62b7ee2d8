"""What is to be said where no purchase has a price: that there is no alert is no chance then."""

NO_ALERT_EVER = (
    "no purchase has a price, so nobody has a value or a tier above the lowest, and no alert can ever be "
    "raised (unless the policy alerts about the lowest tier): map a column of money (order_total, line_total "
    "or unit_price; docs/import.md)"
)
