"""The map of a model as people see it: with what an adapter on it would take on named devices."""
