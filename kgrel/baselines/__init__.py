"""What a model must beat: each baseline scores pairs from counts or labels alone."""
