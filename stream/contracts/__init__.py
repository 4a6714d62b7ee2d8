"""The published contract: exports the structs as schemas/ and checks changes for compatibility."""
