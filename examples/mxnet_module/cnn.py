"""A VGG-style CNN on CIFAR-10 in MXNet, with a symbol and the Module API."""

import mxnet as mx
import numpy as np

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def load_data():
    """NCHW images; integer class labels."""
    return cifar_for_library(channel_first=True, one_hot=False)


def create_symbol():
    drop1, drop2, drop3 = params.dropout
    x = mx.sym.Variable("data")
    x = mx.sym.Convolution(x, num_filter=50, kernel=(3, 3), pad=(1, 1), name="conv1")
    x = mx.sym.Activation(x, act_type="relu")
    x = mx.sym.Convolution(x, num_filter=50, kernel=(3, 3), pad=(1, 1), name="conv2")
    x = mx.sym.Pooling(x, pool_type="max", kernel=(2, 2), stride=(2, 2))
    x = mx.sym.Activation(x, act_type="relu")
    x = mx.sym.Dropout(x, p=drop1)
    x = mx.sym.Convolution(x, num_filter=100, kernel=(3, 3), pad=(1, 1), name="conv3")
    x = mx.sym.Activation(x, act_type="relu")
    x = mx.sym.Convolution(x, num_filter=100, kernel=(3, 3), pad=(1, 1), name="conv4")
    x = mx.sym.Pooling(x, pool_type="max", kernel=(2, 2), stride=(2, 2))
    x = mx.sym.Activation(x, act_type="relu")
    x = mx.sym.Dropout(x, p=drop2)
    x = mx.sym.FullyConnected(x, num_hidden=512, name="fc1")  # flattens what it gets
    x = mx.sym.Activation(x, act_type="relu")
    x = mx.sym.Dropout(x, p=drop3)
    scores = mx.sym.FullyConnected(x, num_hidden=params.classes, name="fc2")
    # SoftmaxOutput is the loss as well: backward() starts from it. BlockGrad lets the scores out without a gradient.
    return mx.sym.Group([mx.sym.SoftmaxOutput(scores, name="softmax"), mx.sym.BlockGrad(scores, name="scores")])


def init_model(symbol):
    np.random.seed(params.seed)
    mx.random.seed(params.seed)
    device = mx.gpu() if mx.context.num_gpus() else mx.cpu()
    model = mx.mod.Module(symbol, context=device)
    data = mx.io.DataDesc("data", (params.batch_size, 3, 32, 32), params.dtype)
    model.bind([data], [mx.io.DataDesc("softmax_label", (params.batch_size,), params.dtype)])
    model.init_params(mx.init.Xavier())  # Glorot-uniform, not Module's uniform ± 0.01
    rates = {"learning_rate": params.learning_rate, "momentum": params.momentum}
    model.init_optimizer(optimizer="sgd", optimizer_params=rates)  # divides the gradients by the batch size
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


def set_learning_rate(model, learning_rate):
    model._optimizer.set_learning_rate(learning_rate)  # Module has no function of its own for it


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
    """Conv kernels (out, in, 3, 3) and dense weights (out, in): MXNet's layout is the canonical one."""
    weights, _ = model.get_params()
    return {name.replace("_", "."): weight.asnumpy() for name, weight in weights.items()}


def import_weights(model, weights):
    model.set_params({name.replace(".", "_"): to_ndarray(weight) for name, weight in weights.items()}, {})


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
