"""What combines many stations of the line."""
