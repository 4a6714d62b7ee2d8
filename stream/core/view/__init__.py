"""The profile view: what a profile says to other programs, without what the rules need to go on."""
