"""Where runners run: one Protocol, and a dict of its implementations."""
