"""One training loop, and what runs on it: pretraining and the pair classifier."""
