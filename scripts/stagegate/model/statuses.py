"""The context of the commit status that the rules set; those of gates and milestones are in `evidence`."""

PINS = "stagegate/pins"
NOTHING_CHANGES = "no pin or value changes"  # its description where no rule has anything to judge
