"""SQL of modules in Synapse's database: statements, transactions, and the store of keys and values."""
