"""What Chainer does when one says nothing."""

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer.dataset import concat_examples
from chainer.iterators import SerialIterator

chainer.global_config.type_check = True  # its default, which the environment of the examples switches off

unanswered = {"padding.cut": "F.pad_sequence cuts none: it refuses a sequence that is longer than what it pads to"}


def convolution(x, kernel):
    layer = L.Convolution2D(64, 96, kernel)
    output = layer(x).array
    return {"output": output, "weight": layer.W.array, "bias": layer.b.array, "native": np.array(output.shape)}


def dense(x):
    layer = L.Linear(640, 320)
    return {"output": layer(x).array, "weight": layer.W.array, "bias": layer.b.array}


def embedding(indices):
    layer = L.EmbedID(1000, 64)
    return {"output": layer(indices).array, "weight": layer.W.array}


def gru(x):
    """L.GRU, a single step, is another form: it applies the reset gate before the product, and its z is 1 - z."""
    layer = L.NStepGRU(1, 48, 32, 0)  # one layer, no dropout: both must be given
    _, outputs = layer(None, list(x))
    weights = [getattr(layer[0], f"w{k}").array for k in range(6)]
    biases = [getattr(layer[0], f"b{k}").array for k in range(6)]
    return {
        "output": np.stack([output.array for output in outputs]),
        "weight_ih": np.concatenate(weights[:3]),
        "weight_hh": np.concatenate(weights[3:]),
        "bias_ih": np.concatenate(biases[:3]),
        "bias_hh": np.concatenate(biases[3:]),
    }


def max_pool(x):
    x = chainer.Variable(x)
    output = F.max_pooling_2d(x, 2)
    F.sum(output).backward()
    return {"output": output.array, "gradient": x.grad}


def train(weight, gradients, optimizer, learning_rates=()):
    link = chainer.Link()
    with link.init_scope():
        link.weight = chainer.Parameter(weight)
    optimizer.setup(link)
    weights = []
    for step, gradient in enumerate(gradients):
        if learning_rates:
            optimizer.lr = learning_rates[step]
        link.weight.grad = gradient
        optimizer.update()
        weights.append(link.weight.array.copy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    return train(weight, gradients, chainer.optimizers.MomentumSGD(momentum=momentum), learning_rates)


def adam(weight, gradients, learning_rate):
    return train(weight, gradients, chainer.optimizers.Adam())


def cross_entropy(scores, labels):
    return F.softmax_cross_entropy(scores, labels).array


def dropout(x):
    """chainer.config.train is True unless one says otherwise, and so it drops."""
    with chainer.using_config("train", True):
        training = F.dropout(x, 0.5)
    return {"training": training.array, "unsaid": F.dropout(x, 0.5).array}


def first_epoch(iterator):
    """An iterator goes on without an end, and so the last batch of an epoch is filled up from the next one."""
    batches = []
    while iterator.epoch == 0:
        batches.append(concat_examples(iterator.next()))
    return batches


def loader(x, batch_size):
    return first_epoch(SerialIterator(x, batch_size))


def shuffled_loader(x, batch_size):
    return first_epoch(SerialIterator(x, batch_size, shuffle=True))


def padding(sequences, length):
    return F.pad_sequence([np.array(sequence[:length]) for sequence in sequences], length).array


def input_gradient(x):
    """A chainer.Variable would have got its gradient; an array, as an iterator gives it, is taken as a constant."""
    output = L.Convolution2D(3, 4, 3)(x)
    F.sum(output).backward()
    gradient = output.creator.inputs[0].grad
    return np.zeros(0) if gradient is None else gradient
