"""Where secret values come from, how they are fingerprinted, and where they are hidden."""
