"""Fakes of the providers: small servers that speak their protocols, and keep the truth about what was sent."""
