"""One card of the page a file: widgets and which action each of them calls."""
