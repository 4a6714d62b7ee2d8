"""The fitted model of a population: a versioned record, and the names of the features that it may weigh."""
