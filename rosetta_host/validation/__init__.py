"""Whether a record can be true: refuses one that contradicts itself, its workload or the physics of its machine."""
