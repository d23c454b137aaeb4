"""The page to look at predictions: a table of them, what is known of each, and what people think of it."""
