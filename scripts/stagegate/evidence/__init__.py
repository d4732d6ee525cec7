"""Records of gates and releases: which count, what they prove, and who may write them."""
