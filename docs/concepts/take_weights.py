"""In the environment of the framework that weights go to; its example's folder is on PYTHONPATH."""

import cnn as example  # or gru
import numpy as np

_, x_test, _, _ = example.load_data()
model = example.init_model(example.create_symbol())
with np.load("weights.npz") as file:
    example.import_weights(model, {name: file[name] for name in file.files})
difference = np.abs(example.predict(model, x_test) - np.load("scores.npy")).max()
print(f"The scores differ by {difference:.0e} at most.")
