"""What MXNet does when one says nothing: its symbols and the Module API."""

import mxnet as mx
import numpy as np

unanswered = {
    "padding.cut": "BucketSentenceIter cuts none: it leaves out a sentence that is longer than its longest bucket",
    "strided_convolution": "must be given: MXNet pads by a number, the same on both sides",
    "adamw": "MXNet has no AdamW: the decay of its Adam is part of the gradient",
    "clip_norm": "an optimizer of Module clips each number, by clip_gradient, and no norm",
}


def bind(symbol, x, **options):
    module = mx.mod.Module(symbol, label_names=None)
    module.bind([("data", x.shape)], **options)
    module.init_params()
    return module


def batch(x):
    return mx.io.DataBatch([mx.nd.array(x)])


def forward(symbol, x):
    """The output, and the weights as NumPy arrays by their names."""
    module = bind(symbol, x)
    module.forward(batch(x))
    weights, _ = module.get_params()
    return module.get_outputs()[0].asnumpy(), {name: weight.asnumpy() for name, weight in weights.items()}


def convolution(x, kernel):
    symbol = mx.sym.Convolution(mx.sym.Variable("data"), num_filter=96, kernel=kernel, name="conv")
    output, weights = forward(symbol, x)
    native = np.array(output.shape)
    return {"output": output, "weight": weights["conv_weight"], "bias": weights["conv_bias"], "native": native}


def dense(x):
    """mx.nd.array makes float32 of whatever NumPy array it is handed."""
    output, weights = forward(mx.sym.FullyConnected(mx.sym.Variable("data"), num_hidden=320, name="fc"), x)
    return {"output": output, "weight": weights["fc_weight"], "bias": weights["fc_bias"]}


def embedding(indices):
    symbol = mx.sym.Embedding(mx.sym.Variable("data"), input_dim=1000, output_dim=64, name="embedding")
    output, weights = forward(symbol, indices)
    return {"output": output, "weight": weights["embedding_weight"]}


def gru(x):
    """The fused cell keeps one vector of all its parameters: unpacked, its gates are r, z and "o", the new state."""
    cell = mx.rnn.FusedRNNCell(32, mode="gru")
    output, _ = cell.unroll(7, mx.sym.Variable("data"))
    module = bind(output, x)
    module.forward(batch(x))
    parts = cell.unpack_weights(module.get_params()[0])
    results = {"output": module.get_outputs()[0].asnumpy()}
    for name, place in (("ih", "i2h"), ("hh", "h2h")):
        for kind in ("weight", "bias"):
            gates = [parts[f"gru_l0_{place}_{gate}_{kind}"].asnumpy() for gate in "rzo"]
            results[f"{kind}_{name}"] = np.concatenate(gates)
    return results


def max_pool(x):
    module = bind(mx.sym.Pooling(mx.sym.Variable("data"), kernel=(2, 2)), x, inputs_need_grad=True)
    module.forward(batch(x))
    output = module.get_outputs()[0]
    module.backward([mx.nd.ones(output.shape)])
    return {"output": output.asnumpy(), "gradient": module.get_input_grads()[0].asnumpy()}


def lstm(x):
    cell = mx.rnn.LSTMCell(32)
    states, _ = cell.unroll(7, mx.sym.Variable("data"), merge_outputs=True)
    output, weights = forward(states, x)
    return {
        "output": output,
        "weight_ih": weights["lstm_i2h_weight"],
        "weight_hh": weights["lstm_h2h_weight"],
        "bias_ih": weights["lstm_i2h_bias"],
        "bias_hh": weights["lstm_h2h_bias"],
    }


def batch_norm(batches):
    """The backward pass updates the running statistics, and get_params reads them anew after an update."""
    module, seen = bind(mx.sym.BatchNorm(mx.sym.Variable("data"), name="bn"), batches[0]), []
    module.init_optimizer(optimizer_params={"learning_rate": 0.0})
    for x in batches:
        module.forward(batch(x), is_train=True)
        output = module.get_outputs()[0].asnumpy()
        module.backward([mx.nd.ones(output.shape)])
        module.update()
        mx.nd.waitall()
        _, statistics = module.get_params()
        seen.append([output, statistics["bn_moving_mean"].asnumpy(), statistics["bn_moving_var"].asnumpy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    """Module fills what is called gamma with ones, and what is called beta with zeros."""
    return {"output": forward(mx.sym.LayerNorm(mx.sym.Variable("data"), name="norm"), x)[0]}


def gelu(x):
    return forward(mx.sym.LeakyReLU(mx.sym.Variable("data"), act_type="gelu"), x[np.newaxis])[0][0]


def leaky_relu(x):
    return forward(mx.sym.LeakyReLU(mx.sym.Variable("data")), x[np.newaxis])[0][0]


def average_pool(x):
    pool = mx.sym.Pooling(mx.sym.Variable("data"), kernel=(3, 3), pool_type="avg", stride=(1, 1), pad=(1, 1))
    return forward(pool, x)[0]


def hard_sigmoid(x):
    return forward(mx.sym.hard_sigmoid(mx.sym.Variable("data")), x[np.newaxis])[0][0]


def transposed_convolution(x):
    symbol = mx.sym.Deconvolution(mx.sym.Variable("data"), kernel=(3, 3), num_filter=1, stride=(2, 2), name="conv")
    output, weights = forward(symbol, x)
    return {"output": output, "weight": weights["conv_weight"]}


def resize(x):
    return forward(mx.sym.contrib.BilinearResize2D(mx.sym.Variable("data"), height=6, width=6), x)[0]


def train(weight, gradients, learning_rates=(), **options):
    """One sample a batch: init_optimizer has the gradients divided by the batch size."""
    loss = mx.sym.MakeLoss(mx.sym.sum(mx.sym.Variable("weight") * mx.sym.Variable("data")))
    module = mx.mod.Module(loss, label_names=None)
    module.bind([("data", (1, len(weight)))])
    module.init_params(arg_params={"weight": mx.nd.array(weight[np.newaxis])})
    module.init_optimizer(**options)
    weights = []
    for step, gradient in enumerate(gradients):
        if learning_rates:
            module._optimizer.set_learning_rate(learning_rates[step])
        module.forward_backward(batch(gradient[np.newaxis]))
        module.update()
        weights.append(module.get_params()[0]["weight"].asnumpy()[0])
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    options = {"learning_rate": learning_rates[0], "momentum": momentum}
    return train(weight, gradients, learning_rates, optimizer="sgd", optimizer_params=options)


def adam(weight, gradients, learning_rate):
    """The learning rate is the module's own, the same for every optimizer, and not mx.optimizer.Adam's."""
    return train(weight, gradients, optimizer="adam")


def rmsprop(weight, gradients, learning_rate):
    return train(weight, gradients, optimizer="rmsprop", optimizer_params={"learning_rate": learning_rate})


def cross_entropy(scores, labels):
    """The symbol gives softmax's probabilities, and hides its loss in backward(): a metric tells the loss."""
    module = mx.mod.Module(mx.sym.SoftmaxOutput(mx.sym.Variable("data"), name="softmax"))
    module.bind([("data", scores.shape)], [("softmax_label", labels.shape)])
    module.init_params()
    module.forward(batch(scores))
    loss = mx.metric.CrossEntropy()
    module.update_metric(loss, [mx.nd.array(labels)])
    return loss.get()[1]


def dropout(x):
    """A module is bound for training unless one says otherwise, and so it drops."""
    training, unsaid = (bind(mx.sym.Dropout(mx.sym.Variable("data"), p=0.5), x) for _ in range(2))
    training.forward(batch(x), is_train=True)
    unsaid.forward(batch(x))
    return {"training": training.get_outputs()[0].asnumpy(), "unsaid": unsaid.get_outputs()[0].asnumpy()}


def loader(x, batch_size):
    return [batch.data[0].asnumpy() for batch in mx.io.NDArrayIter(x, batch_size=batch_size)]


def shuffled_loader(x, batch_size):
    return [batch.data[0].asnumpy() for batch in mx.io.NDArrayIter(x, batch_size=batch_size, shuffle=True)]


def padding(sequences, length):
    """A bucket's sentences come shuffled, and so each of them has an iterator to itself here."""
    iterators = [mx.rnn.BucketSentenceIter([sequence[:length]], 1, [length]) for sequence in sequences]
    return np.concatenate([next(iterator).data[0].asnumpy() for iterator in iterators]).astype(int)


def input_gradient(x):
    module = bind(mx.sym.Convolution(mx.sym.Variable("data"), num_filter=4, kernel=(3, 3)), x)
    module.forward(batch(x))
    module.backward([mx.nd.ones(module.get_outputs()[0].shape)])
    return module.get_input_grads()[0].asnumpy() if module.inputs_need_grad else np.zeros(0)
