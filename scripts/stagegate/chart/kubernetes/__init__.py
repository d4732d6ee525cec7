"""What the API server of a Kubernetes version accepts: fields and their types, names, quantities, removed APIs."""
