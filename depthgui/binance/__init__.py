"""The venue's dialect, without I/O: addresses, bytes to messages, symbols, limits."""
