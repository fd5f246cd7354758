"""A process of its own that owns the model: messages, server, client."""
