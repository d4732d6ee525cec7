"""What Argo CD renders from an Application's sources: the same objects, without a cluster."""
