"""How an alert is written for a tool: pure functions from the alert's JSON to a request of the tool's API."""
