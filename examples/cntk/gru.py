"""A GRU on IMDB reviews in CNTK."""

from types import SimpleNamespace

import cntk
import numpy as np
from cntk.layers import Dense, Recurrence, default_options

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) as floats, for CNTK has no integers; one-hot labels, as its losses and metrics want them."""
    x_train, x_test, y_train, y_test = imdb_for_library(one_hot=True)
    return x_train.astype(params.dtype), x_test.astype(params.dtype), y_train, y_test


def gates(stacked):
    """The thirds of the last axis that belong to the gates r, z and n."""
    return [cntk.slice(stacked, -1, k * params.units, (k + 1) * params.units) for k in range(3)]


def gru_cell():
    """cntk.layers.GRU would apply the reset gate before the recurrent product, and has one bias vector."""
    weight_ih = cntk.Parameter((params.embedding, 3 * params.units), name="gru.weight_ih", init=cntk.glorot_uniform())
    weight_hh = cntk.Parameter((params.units, 3 * params.units), name="gru.weight_hh", init=cntk.glorot_uniform())
    bias_ih, bias_hh = (cntk.Parameter(3 * params.units, name=f"gru.bias_{of}", init=0) for of in ("ih", "hh"))
    (w_r, w_z, w_n), (b_r, b_z, b_n) = gates(weight_hh), gates(bias_hh)

    @cntk.Function
    def cell(h, x):
        x_r, x_z, x_n = gates(cntk.times(x, weight_ih) + bias_ih)
        r, z = cntk.sigmoid(x_r + b_r + cntk.times(h, w_r)), cntk.sigmoid(x_z + b_z + cntk.times(h, w_z))
        n = cntk.tanh(x_n + r * (cntk.times(h, w_n) + b_n))
        return (1 - z) * n + z * h

    return cell


def create_symbol():
    # Each weight takes the next seed from here on; set_fixed_random_seed would give all of them the same numbers.
    cntk.cntk_py.reset_random_seed(params.seed)
    with default_options(dtype=params.dtype, init=cntk.glorot_uniform()):
        words = cntk.sequence.input_variable(())
        uniform = cntk.uniform(params.embedding_bound)
        embedding = cntk.Parameter((params.vocabulary, params.embedding), init=uniform, name="embedding")
        # A dense embedding: CNTK's Adam knows no sparse gradients on a CPU, as one-hot words would give.
        states = Recurrence(gru_cell())(cntk.gather(embedding, words))
        return Dense(params.classes)(cntk.sequence.last(states))


def init_model(symbol):
    np.random.seed(params.seed)
    labels = cntk.input_variable(params.classes, dtype=params.dtype)
    loss = cntk.cross_entropy_with_softmax(symbol, labels)  # softmax included: the network ends in logits
    rate = cntk.learning_parameter_schedule(params.learning_rate)
    beta1, beta2 = cntk.momentum_schedule(params.beta1), cntk.momentum_schedule(params.beta2)
    # With IGNORE Adam gets the gradients' mean, by default their sum; with unit_gain it is the usual Adam.
    options = {"minibatch_size": cntk.learners.IGNORE, "unit_gain": True, "epsilon": params.epsilon}
    learner = cntk.adam(symbol.parameters, rate, beta1, variance_momentum=beta2, **options)
    trainer = cntk.Trainer(symbol, (loss, None), [learner])
    return SimpleNamespace(network=symbol, words=symbol.arguments[0], labels=labels, trainer=trainer)


def train_epoch(model, batches):
    losses = []
    for data, target in batches:
        model.trainer.train_minibatch({model.words: data, model.labels: target})
        losses.append(model.trainer.previous_minibatch_loss_average)
    return float(np.mean(losses))


def train(model, x, y):
    return train_epoch(model, minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    order = np.random.permutation(len(x))  # the source takes the samples as they stand: it does not shuffle
    reviews = (list(x[order]), cntk.layers.typing.Sequence[cntk.layers.typing.tensor])
    full = (len(x) - len(x) % params.batch_size) * params.max_length  # it counts words, not reviews
    source = cntk.io.MinibatchSourceFromData({"x": reviews, "y": y[order]}, max_samples=full)
    batches = iter(lambda: source.next_minibatch(params.batch_size * params.max_length), {})
    return train_epoch(model, ((batch[source.streams.x], batch[source.streams.y]) for batch in batches))


def predict(model, x):
    batches = [x[start : start + params.batch_size] for start in range(0, len(x), params.batch_size)]
    return np.concatenate([model.network.eval({model.words: data}) for data in batches])


def evaluate(model, x, y):
    return 1 - float(np.mean(cntk.classification_error(predict(model, x), y, axis=1).eval()))


def parameters(model):
    """CNTK's parameters under their canonical names; its matrices are (in, out)."""
    named = {parameter.name: parameter for parameter in model.network.parameters}
    named["fc.weight"], named["fc.bias"] = named.pop("W"), named.pop("b")
    return named


def export_weights(model):
    weights = {name: parameter.value for name, parameter in parameters(model).items()}
    return {name: (weight if name == "embedding" else weight.T).copy() for name, weight in weights.items()}


def import_weights(model, weights):
    for name, parameter in parameters(model).items():
        parameter.value = np.ascontiguousarray(weights[name] if name == "embedding" else weights[name].T)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
