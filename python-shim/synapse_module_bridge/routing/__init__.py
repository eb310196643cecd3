"""Who is asked: the routing table that the modules' declarations make, and where a question comes from."""
