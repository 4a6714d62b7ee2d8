"""The HTTP server of the dashboard: requests, templates, security headers."""
