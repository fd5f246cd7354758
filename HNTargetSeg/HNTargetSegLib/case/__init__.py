"""What comes in: volumes and their geometry, visits, patients, and the readers."""
