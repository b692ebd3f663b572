"""What the commands share: definitions in folders, the API as a client, and what a terminal shows."""
