"""One room a provider type: facts as tables, and the wire."""
