"""What must be right before a journey may be published."""
