"""A GRU on IMDB reviews in tinygrad."""

from types import SimpleNamespace

import numpy as np
from tinygrad import Context, Tensor, TinyJit, function, nn

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


class GRUCell:
    """A cell built like nn.LSTMCell, the only one that tinygrad has; gates in the order r, z, n."""

    def __init__(self, input_size, units):
        self.weight_ih, self.bias_ih = Tensor.glorot_uniform(3 * units, input_size), Tensor.zeros(3 * units)
        self.weight_hh, self.bias_hh = Tensor.glorot_uniform(3 * units, units), Tensor.zeros(3 * units)

    @function(precompile=True, precompile_backward=True)
    def __call__(self, x, h):
        """`@function` makes the cell one function of the graph: compiled once and called at each of 150 time steps."""
        input_r, input_z, input_n = x.linear(self.weight_ih.T, self.bias_ih).chunk(3, dim=1)
        hidden_r, hidden_z, hidden_n = h.linear(self.weight_hh.T, self.bias_hh).chunk(3, dim=1)
        r, z = (input_r + hidden_r).sigmoid(), (input_z + hidden_z).sigmoid()
        n = (input_n + r * hidden_n).tanh()
        return (1 - z) * n + z * h


class GRUClassifier:
    def __init__(self):
        self.embedding = nn.Embedding(params.vocabulary, params.embedding)
        self.gru = GRUCell(params.embedding, params.units)
        self.fc = nn.Linear(params.units, params.classes)

    def __call__(self, words):
        vectors = self.embedding(words.T).contiguous()
        state = Tensor.zeros(words.shape[0], params.units).contiguous()
        for time in range(params.max_length):
            state = self.gru(vectors[time], state)
        return self.fc(state)


def create_symbol():
    """The embedding starts uniform and the last layer Glorot-uniform, as the cell does; by default both differ."""
    Tensor.manual_seed(params.seed)
    network, bound = GRUClassifier(), params.embedding_bound
    network.embedding.weight.assign(Tensor.uniform(params.vocabulary, params.embedding, low=-bound, high=bound))
    network.fc.weight.assign(Tensor.glorot_uniform(params.classes, params.units))
    network.fc.bias.assign(network.fc.bias.zeros_like())
    Tensor.realize(*nn.state.get_parameters(network))
    return network


def init_model(symbol):
    np.random.seed(params.seed)
    betas = {"b1": params.beta1, "b2": params.beta2}
    optimizer = nn.optim.Adam(nn.state.get_parameters(symbol), params.learning_rate, **betas, eps=params.epsilon)

    @TinyJit  # without it each step takes ten times as long
    @Context(TRAINING=1)
    def step(words, labels):
        optimizer.zero_grad()
        loss = symbol(words).sparse_categorical_crossentropy(labels).backward()  # softmax included: it takes logits
        return loss.realize(*optimizer.schedule_step())

    return SimpleNamespace(network=symbol, step=step, predict=TinyJit(lambda words: symbol(words).realize()))


def train(model, x, y):
    batches = minibatches(x, y, params.batch_size)
    steps = (model.step(Tensor(data).realize(), Tensor(target).realize()) for data, target in batches)
    return float(np.mean([loss.item() for loss in steps]))


def predict(model, x):
    """A jitted function takes one shape: the last mini-batch is padded, and its surplus scores are cut off."""
    padded = np.pad(x, [(0, -len(x) % params.batch_size), (0, 0)])
    batches = np.split(padded, len(padded) // params.batch_size)
    return np.concatenate([model.predict(Tensor(data).realize()).numpy() for data in batches])[: len(x)]


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """Gates in the canonical order, r, z, n; two biases, as in the canonical form."""
    weights = nn.state.get_state_dict(model.network)
    return {name.replace("embedding.weight", "embedding"): weight.numpy() for name, weight in weights.items()}


def import_weights(model, weights):
    """In place, because the jitted step goes on reading these arrays; `load_state_dict` would replace them."""
    for name, weight in nn.state.get_state_dict(model.network).items():
        weight.assign(Tensor(weights[name.replace("embedding.weight", "embedding")])).realize()


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
