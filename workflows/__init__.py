"""The walk on Temporal's clock, and what brings runs there."""
