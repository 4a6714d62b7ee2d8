"""The command line: one module for each `stream` command, imported only when that command is used."""
