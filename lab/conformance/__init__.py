"""Compares the forge with GitHub's own descriptions: recorded requests and responses, and the GraphQL schema."""
