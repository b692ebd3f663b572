"""Who may be messaged, when, and at which address."""
