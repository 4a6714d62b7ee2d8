"""The numbers of the business report as HTML, in panes: won, grown, kept. Report and dashboard show the same."""
