"""Where imported events go: a file, or Kafka topics with a journal that lets a stopped import continue."""
