"""How definitions are written: YAML or JSON, read to plain data."""
