"""In the environment of the framework that weights come from; its example's folder is on PYTHONPATH."""

import cnn as example  # or gru
import numpy as np

x_train, x_test, y_train, y_test = example.load_data()
model = example.init_model(example.create_symbol())
example.train(model, x_train, y_train)
np.savez("weights.npz", **example.export_weights(model))
np.save("scores.npy", example.predict(model, x_test))
