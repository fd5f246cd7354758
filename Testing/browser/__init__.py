"""The review page in Chromium: the command as a user starts it, driven by mouse, wheel and keys."""
