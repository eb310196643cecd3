"""The wire: JSON-RPC 2.0 over pipes, its frames, its requests and their deadlines."""
