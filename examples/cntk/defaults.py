"""What CNTK does when one says nothing."""

import os
import tempfile

import cntk
import numpy as np
from cntk import layers
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

unanswered = {
    "adam.learning_rate": "must be given: cntk.adam has no rate of its own",
    "adam.beta1": "must be given: cntk.adam calls it momentum, and has none of its own",
    "padding": "CNTK has nothing that pads sequences: each keeps its own length",
    "input_gradient": "CNTK derives only what is asked for, and for an input only if made with needs_gradient=True",
    "gelu": "CNTK has no GELU",
    "adamw": "CNTK has no AdamW",
    "rmsprop": "must be given: cntk.rmsprop has no gamma of its own, and no inc, dec, max and min",
    "hard_sigmoid": "must be given: cntk.hard_sigmoid has neither a slope nor an offset of its own",
    "resize": "CNTK repeats or averages pixels, and has no bilinear resize",
}


def convolution(x, kernel):
    layer = layers.Convolution(kernel, 96)
    output = layer(cntk.input_variable(x.shape[1:])).eval(x)
    weight, bias = layer.W.value, layer.b.value.flatten()
    return {"output": output, "weight": weight, "bias": bias, "native": np.array(output.shape)}


def dense(x):
    layer = layers.Dense(320)
    output = layer(cntk.input_variable(640)).eval(x)
    return {"output": output, "weight": layer.W.value.T, "bias": layer.b.value}


def embedding(indices):
    """CNTK has no integers: a word is a one-hot vector, best a sparse one."""
    layer = layers.Embedding(64)
    output = layer(cntk.input_variable(1000, is_sparse=True)).eval(cntk.Value.one_hot(indices, 1000))
    return {"output": output, "weight": layer.E.value}


def gru(x):
    layer = layers.Recurrence(layers.GRU(32))
    network = layer(cntk.sequence.input_variable(48))
    weight_ih, bias = swap_gates(network.W.value), swap_gates(network.b.value)
    weight_hh = swap_gates(np.concatenate([network.H.value, network.H1.value], axis=-1))  # two matrices: z and r, n
    return {"output": np.array(network.eval(x)), "weight_ih": weight_ih.T, "weight_hh": weight_hh.T, "bias_ih": bias}


def swap_gates(array):
    """From CNTK's gate order z, r, n along the last axis to r, z, n."""
    update, reset, new = np.split(array, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


def max_pool(x):
    images = cntk.input_variable(x.shape[1:], needs_gradient=True)
    output = layers.MaxPooling((2, 2))(images)
    return {"output": output.eval(x), "gradient": output.grad({images: x})}


def lstm(x):
    network = layers.Recurrence(layers.LSTM(32))(cntk.sequence.input_variable(48))
    return {
        "output": np.array(network.eval(x)),
        "weight_ih": network.W.value.T,
        "weight_hh": network.H.value.T,
        "bias_ih": network.b.value,
    }


def batch_norm(batches):
    """The share of a batch grows with its size: it is given as a number of samples, over which the old ones fade."""
    layer, seen = layers.BatchNormalization()(cntk.input_variable(3)), []
    statistics = {constant.name: constant for constant in layer.constants}
    for batch in batches:
        _, outputs = layer.forward(batch, keep_for_backward=layer.outputs)
        mean, variance = (statistics[name].value for name in ("aggregate_mean", "aggregate_variance"))
        seen.append([outputs[layer.output], mean, variance])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return {"output": layers.LayerNormalization()(cntk.input_variable(8)).eval(x)}


def leaky_relu(x):
    return cntk.leaky_relu(x).eval()


def average_pool(x):
    return layers.AveragePooling((3, 3), strides=1, pad=True)(cntk.input_variable(x.shape[1:])).eval(x)


def strided_convolution(x):
    layer = layers.Convolution((3, 3), 1, strides=2, pad=True, bias=False)(cntk.input_variable(x.shape[1:]))
    return {"output": layer.eval(x), "weight": layer.W.value}


def transposed_convolution(x):
    layer = layers.ConvolutionTranspose((3, 3), 1, strides=2, bias=False)(cntk.input_variable(x.shape[1:]))
    return {"output": layer.eval(x), "weight": layer.W.value}


def momentum(weight, gradients, learning_rates, momentum):
    weight, weights = cntk.parameter(init=weight), []
    learner = cntk.momentum_sgd([weight], learning_rates[0], momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        learner.reset_learning_rate(cntk.learning_parameter_schedule(learning_rate))
        weights += train(learner, weight, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    """It insists on its momentum, β₁, as well as on its rate."""
    weight = cntk.parameter(init=weight)
    return train(cntk.adam([weight], learning_rate, 0.9), weight, gradients)


def train(learner, weight, gradients):
    steps = []
    for gradient in gradients:
        learner.update({weight: gradient}, 1)  # the gradient of one sample
        steps.append(weight.value)
    return steps


def clip_norm(first, second, limit):
    """It clips each number unless told to clip a norm. A step of rate 1 from zero shows the gradients."""
    weights = [cntk.parameter(init=np.zeros(2, "float32")) for _ in range(2)]
    learner = cntk.sgd(
        weights, 1.0, gradient_clipping_threshold_per_sample=limit, gradient_clipping_with_truncation=False
    )
    learner.update(dict(zip(weights, [first, second])), 1)
    return [-weight.value for weight in weights]


def cross_entropy(scores, labels):
    network, targets = cntk.input_variable(4), cntk.input_variable(labels.shape[1:])
    return cntk.cross_entropy_with_softmax(network, targets).eval({network: scores, targets: labels})


def dropout(x):
    """It drops in a forward pass that keeps what a backward one needs, as a step of training does."""
    training, unsaid = [layers.Dropout(0.5)(cntk.input_variable(100)) for _ in range(2)]
    _, outputs = training.forward(x, keep_for_backward=training.outputs)
    return {"training": outputs[training.output], "unsaid": unsaid.eval(x)}


def loader(x, batch_size):
    """It goes round for ever, and says in which batch a round ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.txt")
        np.savetxt(path, x, fmt="|x %f")
        source = MinibatchSource(CTFDeserializer(path, StreamDefs(x=StreamDef(field="x", shape=1))))
        batches, ended = [], False
        while not ended:
            batch = source.next_minibatch(batch_size)[source.streams.x]
            batches.append(batch.asarray())
            ended = batch.end_of_sweep
    return batches


def shuffled_loader(x, batch_size):
    """It shuffles unless told otherwise."""
    return loader(x, batch_size)
