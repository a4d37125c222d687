"""A GRU on IMDB reviews in Lasagne on Theano."""

from types import SimpleNamespace

import lasagne.layers as L
import numpy as np
import theano
import theano.tensor as T
from lasagne.init import GlorotUniform, Uniform
from lasagne.nonlinearities import linear, softmax, tanh
from lasagne.objectives import categorical_crossentropy
from lasagne.updates import adam

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


def gate(**options):
    return L.Gate(W_in=GlorotUniform(), W_hid=GlorotUniform(), W_cell=None, **options)  # by default normal, with 0.1


def create_symbol():
    """The network's last layer, which knows the others."""
    np.random.seed(params.seed)  # Lasagne draws its weights from NumPy's generator
    theano.config.floatX = params.dtype
    uniform = Uniform(params.embedding_bound)
    x = L.InputLayer((None, params.max_length), T.imatrix("words"))
    x = L.EmbeddingLayer(x, params.vocabulary, params.embedding, W=uniform, name="embedding")
    gates = {"resetgate": gate(), "updategate": gate(), "hidden_update": gate(nonlinearity=tanh)}
    x = L.GRULayer(x, params.units, learn_init=False, name="gru", **gates)  # or it trains the first state too
    x = L.SliceLayer(x, -1, axis=1)
    return L.DenseLayer(x, params.classes, nonlinearity=linear, name="fc")  # its weights start Glorot-uniform


def init_model(symbol):
    """Theano compiles a function for each use of the network: one step of training, and prediction."""
    words, labels = L.get_all_layers(symbol)[0].input_var, T.ivector("labels")
    scores = L.get_output(symbol)
    loss = categorical_crossentropy(softmax(scores), labels).mean()
    weights = L.get_all_params(symbol, trainable=True)
    rates = {"learning_rate": params.learning_rate, "beta1": params.beta1, "beta2": params.beta2}
    return SimpleNamespace(
        network=symbol,
        step=theano.function([words, labels], loss, updates=adam(loss, weights, epsilon=params.epsilon, **rates)),
        scores=theano.function([words], scores),
    )


def train(model, x, y):
    return float(np.mean([model.step(data, target) for data, target in minibatches(x, y, params.batch_size)]))


def predict(model, x):
    starts = range(0, len(x), params.batch_size)
    return np.concatenate([model.scores(x[start : start + params.batch_size]) for start in starts])


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def parameters(model):
    """Lasagne's parameters under their canonical names; the GRU's lie gate by gate, in the order r, z, n."""
    layers = {layer.name: layer for layer in L.get_all_layers(model.network)}
    gru, fc = layers["gru"], layers["fc"]
    return {
        "embedding": [layers["embedding"].W],
        "gru.weight_ih": [gru.W_in_to_resetgate, gru.W_in_to_updategate, gru.W_in_to_hidden_update],
        "gru.weight_hh": [gru.W_hid_to_resetgate, gru.W_hid_to_updategate, gru.W_hid_to_hidden_update],
        "gru.bias_ih": [gru.b_resetgate, gru.b_updategate, gru.b_hidden_update],
        "fc.weight": [fc.W],
        "fc.bias": [fc.b],
    }


def turn(name, parts):
    """Weights (in, out) to (out, in), and back; z negated, as Lasagne's update gate lets in what others keep out."""
    parts = [part if name == "embedding" else part.T for part in parts]
    return [part if len(parts) == 1 or k != 1 else -part for k, part in enumerate(parts)]


def export_weights(model):
    """Lasagne's gates have one bias each: there is no recurrent one."""
    weights = {"gru.bias_hh": np.zeros(3 * params.units, params.dtype)}
    for name, variables in parameters(model).items():
        weights[name] = np.concatenate(turn(name, [variable.get_value() for variable in variables]))
    return weights


def import_weights(model, weights):
    for name, variables in parameters(model).items():
        for variable, part in zip(variables, turn(name, np.split(weights[name], len(variables)))):
            variable.set_value(part)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
