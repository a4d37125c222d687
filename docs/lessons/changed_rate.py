"""Two steps with momentum 0.9 and gradient 1, the learning rate 0.1 in the first and 0.01 in the second: both forms."""

gradient, momentum = 1.0, 0.9
weight_outside = velocity_outside = 0.0
weight_inside = velocity_inside = 0.0
for learning_rate in (0.1, 0.01):
    velocity_outside = momentum * velocity_outside + gradient
    weight_outside -= learning_rate * velocity_outside
    velocity_inside = momentum * velocity_inside + learning_rate * gradient
    weight_inside -= velocity_inside
print(f"rate outside: {weight_outside:.3f}, rate inside: {weight_inside:.3f}")
