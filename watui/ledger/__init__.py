"""What is known, on disk. It stores; what a status or a number means is decided elsewhere."""
