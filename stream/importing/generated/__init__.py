"""A generated shop whose truth is known: who left, when and why, who bought more, what each customer cost."""
