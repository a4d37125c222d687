"""CIFAR-10 and IMDB: fetched, checked, unpacked."""
