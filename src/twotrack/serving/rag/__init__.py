"""Answers from a team's own documents: find passages, quote or write, and cite by code."""
