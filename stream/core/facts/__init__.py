"""Facts: the part of a profile to which events are added, with the same result in any order of arrival."""
