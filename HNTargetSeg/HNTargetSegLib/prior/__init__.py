"""What the pre-RT visit tells the mid-RT one."""
