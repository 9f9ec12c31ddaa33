"""Live books: feeds, what they share, and the guide's managers."""
