"""`stream demo`: a real year of a grocer through the real worker, on a broker inside this process."""
