"""Checks objects as the API server of a Kubernetes version does: fields, types, names, quantities, removed APIs."""
