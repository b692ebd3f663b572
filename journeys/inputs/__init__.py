"""What is said of an input that is not as its model describes it."""
