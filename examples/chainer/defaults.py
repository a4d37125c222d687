"""What Chainer does when one says nothing."""

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer.dataset import concat_examples
from chainer.iterators import SerialIterator

chainer.global_config.type_check = True  # its default, which the environment of the examples switches off

unanswered = {
    "padding.cut": "F.pad_sequence cuts none: it refuses a sequence that is longer than what it pads to",
    "gelu": "Chainer has no GELU",
    "strided_convolution": "must be given: Chainer pads by a number, the same on both sides",
    "adamw.decay": "must be given: without weight_decay_rate, Adam decays no weight",
}


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


def lstm(x):
    """Each gate has a weight of its own, in this order."""
    layer = L.NStepLSTM(1, 48, 32, 0)  # one layer, no dropout: both must be given
    _, _, outputs = layer(None, None, list(x))
    weights = [getattr(layer[0], f"w{k}").array for k in range(8)]
    biases = [getattr(layer[0], f"b{k}").array for k in range(8)]
    return {
        "output": np.stack([output.array for output in outputs]),
        "weight_ih": np.concatenate(weights[:4]),
        "weight_hh": np.concatenate(weights[4:]),
        "bias_ih": np.concatenate(biases[:4]),
        "bias_hh": np.concatenate(biases[4:]),
    }


def batch_norm(batches):
    layer, seen = L.BatchNormalization(3), []
    for batch in batches:
        with chainer.using_config("train", True):
            output = layer(batch).array
        seen.append([output, layer.avg_mean.copy(), layer.avg_var.copy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return {"output": L.LayerNormalization(8)(x).array}


def leaky_relu(x):
    return F.leaky_relu(x).array


def average_pool(x):
    return F.average_pooling_2d(x, 3, stride=1, pad=1).array


def hard_sigmoid(x):
    return F.hard_sigmoid(x).array


def transposed_convolution(x):
    layer = L.Deconvolution2D(1, 1, 3, stride=2, nobias=True)
    return {"output": layer(x).array, "weight": layer.W.array}


def resize(x):
    return F.resize_images(x, (6, 6)).array


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


def adamw(weight, gradients, learning_rate):
    """Adam with a weight_decay_rate is AdamW."""
    return train(weight, gradients, chainer.optimizers.Adam(learning_rate, weight_decay_rate=0.01))


def rmsprop(weight, gradients, learning_rate):
    return train(weight, gradients, chainer.optimizers.RMSprop(learning_rate))


def clip_norm(first, second, limit):
    """A step of rate 1 from zero shows the gradients."""
    link = chainer.Link()
    with link.init_scope():
        link.first, link.second = (chainer.Parameter(np.zeros(2, "float32")) for _ in range(2))
    optimizer = chainer.optimizers.SGD(1.0).setup(link)
    optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(limit))
    link.first.grad, link.second.grad = first, second
    optimizer.update()
    return [-link.first.array, -link.second.array]


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
