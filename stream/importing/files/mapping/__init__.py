"""Mappings: what each column of a file is, as TOML. Those of well-known exports are in the folder ready."""
