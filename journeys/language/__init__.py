"""What is written inside a journey: durations, attributes and their types, conditions, templates."""
