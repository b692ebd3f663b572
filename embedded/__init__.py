"""Everything on one machine: Temporal's binary, the dev stack, the demonstration, and fakes of the providers."""
