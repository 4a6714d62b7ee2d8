"""How pages and reports look: charts as SVG, one stylesheet, tables."""
