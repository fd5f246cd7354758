"""What a reviewer's box does: prompts, where they reach, what the network says there, and the lesions that follow."""
