"""The providers' APIs, as their fact sheets describe them, behind real HTTP. Imports no other room."""
