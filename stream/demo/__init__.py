"""`stream demo`: a real year of a grocery chain through the real worker, on a broker inside this process."""
