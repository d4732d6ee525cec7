"""record: writes the release record of a version that another tool tagged, built and published."""
