"""The endpoints file: where alerts are sent, checked at the start, every fault with its line."""
