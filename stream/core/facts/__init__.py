"""Facts: the part of a profile that events fold into, with the same result in any order of arrival."""
