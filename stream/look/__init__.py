"""What HTML pages share: the document with its stylesheet, tables, and plots as SVG."""
