"""The context of the commit status that the rules set; those of gates and milestones are in `evidence`."""

PINS = "stagegate/pins"
