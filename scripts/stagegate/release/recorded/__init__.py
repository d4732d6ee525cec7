"""record: the release record of a version that somebody else tagged, built and published."""
