"""What the page of the policy shows of alerts: how often they spoke, and whether they kept their word."""
