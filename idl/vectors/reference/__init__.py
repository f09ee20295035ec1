"""The balancing of calls, written down once more in the plainest Python: what the vectors beside it are made with."""
