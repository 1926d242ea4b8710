"""Changes into an ordered, safe, digested plan."""
