"""The forge beside GitHub's own descriptions: every recorded call and answer, and the GraphQL schema."""
