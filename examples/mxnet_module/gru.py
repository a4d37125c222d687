"""A GRU on IMDB reviews in MXNet, with a symbol and the Module API."""

import mxnet as mx
import numpy as np

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


def gru_cell():
    # One fused operator over all steps; mx.rnn.GRUCell would unroll into 150 times a dozen.
    return mx.rnn.FusedRNNCell(params.units, mode="gru", prefix="gru_")


def create_symbol():
    uniform = mx.init.Uniform(params.embedding_bound)
    weight = mx.sym.Variable("embedding_weight", init=uniform)
    sizes = {"input_dim": params.vocabulary, "output_dim": params.embedding}
    x = mx.sym.Embedding(mx.sym.Variable("data"), weight, dtype=params.dtype, name="embedding", **sizes)
    cell = gru_cell()
    start = cell.begin_state(dtype=params.dtype)
    outputs, _ = cell.unroll(params.max_length, inputs=x, begin_state=start, layout="NTC", merge_outputs=True)
    last = mx.sym.slice_axis(outputs, axis=1, begin=-1, end=None)
    scores = mx.sym.FullyConnected(last, num_hidden=params.classes, name="fc")
    # SoftmaxOutput is the loss as well: backward() starts from it. BlockGrad lets the scores out without a gradient.
    return mx.sym.Group([mx.sym.SoftmaxOutput(scores, name="softmax"), mx.sym.BlockGrad(scores, name="scores")])


def init_model(symbol):
    np.random.seed(params.seed)
    mx.random.seed(params.seed)
    device = mx.gpu() if mx.context.num_gpus() else mx.cpu()
    model = mx.mod.Module(symbol, context=device)
    data = mx.io.DataDesc("data", (params.batch_size, params.max_length), params.dtype)
    model.bind([data], [mx.io.DataDesc("softmax_label", (params.batch_size,), params.dtype)])
    model.init_params(mx.init.Xavier())  # Glorot-uniform, not Module's uniform ± 0.01
    rates = {"learning_rate": params.learning_rate, "beta1": params.beta1, "beta2": params.beta2}
    rates["epsilon"] = params.epsilon
    model.init_optimizer(optimizer="adam", optimizer_params=rates)  # divides the gradients by the batch size
    return model


def to_ndarray(array):
    return mx.nd.array(array, dtype=params.dtype)  # its default is float32 for every array


def train_epoch(model, batches):
    loss = mx.metric.CrossEntropy(output_names=["softmax_output"], label_names=["softmax_label"])
    for batch in batches:
        model.forward_backward(batch)
        model.update()
        model.update_metric(loss, batch.label)
    model.get_params()  # brings the weights back from the device, as Module.fit does after each epoch
    mx.nd.waitall()  # MXNet computes behind Python's back: the last update may still be under way
    return float(loss.get()[1])


def train(model, x, y):
    batches = minibatches(x, y, params.batch_size)
    return train_epoch(model, (mx.io.DataBatch([to_ndarray(data)], [to_ndarray(target)]) for data, target in batches))


def train_with_loader(model, x, y):
    data, target = to_ndarray(x), to_ndarray(y)
    # A smaller last batch is left out; by default it would be filled up from the first.
    loader = mx.io.NDArrayIter(data, target, params.batch_size, shuffle=True, last_batch_handle="discard")
    return train_epoch(model, loader)


def predict(model, x):
    # NDArrayIter fills the last batch up from the first; Module.predict cuts that off again.
    _, scores = model.predict(mx.io.NDArrayIter(to_ndarray(x), batch_size=params.batch_size))
    return scores.asnumpy()


def evaluate(model, x, y):
    # Module.score would count the samples that fill the last batch up a second time.
    accuracy = mx.metric.Accuracy()
    accuracy.update([mx.nd.array(y)], [mx.nd.array(predict(model, x))])
    return accuracy.get()[1]


def export_weights(model):
    """The fused cell keeps one vector of all its parameters; unpacked, its gates are the canonical r, z, n ("o")."""
    parts = gru_cell().unpack_weights(model.get_params()[0])
    weights = {"embedding": parts["embedding_weight"], "fc.weight": parts["fc_weight"], "fc.bias": parts["fc_bias"]}
    for name, place in (("ih", "i2h"), ("hh", "h2h")):
        for kind in ("weight", "bias"):
            gates = [parts[f"gru_l0_{place}_{gate}_{kind}"] for gate in "rzo"]
            weights[f"gru.{kind}_{name}"] = mx.nd.concat(*gates, dim=0)
    return {name: weight.asnumpy() for name, weight in weights.items()}


def import_weights(model, weights):
    parts = {"embedding_weight": weights["embedding"], "fc_weight": weights["fc.weight"], "fc_bias": weights["fc.bias"]}
    for name, place in (("ih", "i2h"), ("hh", "h2h")):
        for kind in ("weight", "bias"):
            gates = np.split(weights[f"gru.{kind}_{name}"], 3)
            parts.update({f"gru_l0_{place}_{gate}_{kind}": part for gate, part in zip("rzo", gates)})
    parts = {name: to_ndarray(part) for name, part in parts.items()}
    model.set_params(gru_cell().pack_weights(parts), {})


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
