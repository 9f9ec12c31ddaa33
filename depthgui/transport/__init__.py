"""The only door to the network: REST, WebSocket, proxies, certificates. Foreign exceptions stop here."""
