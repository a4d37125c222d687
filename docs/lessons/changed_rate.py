"""Two steps of SGD with momentum, the second at a tenth of the rate: the rate outside the velocity, and inside it."""

gradient, momentum = 1.0, 0.9
weight_outside = velocity_outside = 0.0
weight_inside = velocity_inside = 0.0
for learning_rate in (0.1, 0.01):
    velocity_outside = momentum * velocity_outside + gradient
    weight_outside -= learning_rate * velocity_outside
    velocity_inside = momentum * velocity_inside + learning_rate * gradient
    weight_inside -= velocity_inside
print(f"rate outside: {weight_outside:.3f}, rate inside: {weight_inside:.3f}")
