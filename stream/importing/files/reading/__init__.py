"""Files become rows of text, whatever their format: CSV, TSV, JSON lines or Parquet."""
