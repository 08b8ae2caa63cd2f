"""What an installation needs, and what it says where something is missing."""
