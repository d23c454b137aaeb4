"""The generative model, its sizes, and the classifier on top of it."""
