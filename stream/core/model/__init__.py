"""The fitted model of a population: its structs, its JSON document, and the features that it may weigh."""
