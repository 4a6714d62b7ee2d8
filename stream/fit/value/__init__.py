"""What a fit learns of value from past looks: whether more is bought than a process expects."""
