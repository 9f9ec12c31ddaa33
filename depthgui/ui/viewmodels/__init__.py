"""What is on screen, as plain data: no Qt here, and time is an argument."""
