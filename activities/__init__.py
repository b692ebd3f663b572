"""The outside world of a run: sends, and the lines of its diary that no send carries."""
