"""SQL of modules in Synapse's database: statements, transactions, and the store of keys and values.

Statements run on connections of Synapse's database pool, in its threads and its transactions.
"""
