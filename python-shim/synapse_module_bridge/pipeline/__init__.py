"""The way of a call: from the callback's arguments to the answer that Synapse takes."""
