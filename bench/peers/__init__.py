"""The measured programs, each a process of its own; contract.py says what each must do."""
