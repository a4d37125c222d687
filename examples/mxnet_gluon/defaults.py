"""What MXNet Gluon does when one says nothing."""

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn

unanswered = {
    "padding": "Gluon's own loader pads no sequences: that is in GluonNLP, another package",
    "leaky_relu": "must be given: nn.LeakyReLU has no slope of its own",
    "strided_convolution": "must be given: MXNet pads by a number, the same on both sides",
    "adamw": "MXNet has no AdamW: the decay of its Adam is part of the gradient",
}


def convolution(x, kernel):
    layer = nn.Conv2D(96, kernel)
    layer.initialize()
    output = layer(mx.nd.array(x)).asnumpy()
    weight, bias = layer.weight.data().asnumpy(), layer.bias.data().asnumpy()
    return {"output": output, "weight": weight, "bias": bias, "native": np.array(output.shape)}


def dense(x):
    """mx.nd.array makes float32 of whatever NumPy array it is handed."""
    layer = nn.Dense(320)
    layer.initialize()
    output = layer(mx.nd.array(x)).asnumpy()
    return {"output": output, "weight": layer.weight.data().asnumpy(), "bias": layer.bias.data().asnumpy()}


def embedding(indices):
    layer = nn.Embedding(1000, 64)
    layer.initialize()
    return {"output": layer(mx.nd.array(indices)).asnumpy(), "weight": layer.weight.data().asnumpy()}


def gru(x):
    """Time comes first, before the batch."""
    layer = rnn.GRU(32)
    layer.initialize()
    output = layer(mx.nd.array(x.swapaxes(0, 1))).asnumpy()
    return {
        "output": output.swapaxes(0, 1),
        "weight_ih": layer.l0_i2h_weight.data().asnumpy(),
        "weight_hh": layer.l0_h2h_weight.data().asnumpy(),
        "bias_ih": layer.l0_i2h_bias.data().asnumpy(),
        "bias_hh": layer.l0_h2h_bias.data().asnumpy(),
    }


def max_pool(x):
    x = mx.nd.array(x)
    x.attach_grad()
    with autograd.record():
        output = nn.MaxPool2D(2)(x)
    output.backward()
    return {"output": output.asnumpy(), "gradient": x.grad.asnumpy()}


def lstm(x):
    """Time comes first, before the batch."""
    layer = rnn.LSTM(32)
    layer.initialize()
    output = layer(mx.nd.array(x.swapaxes(0, 1))).asnumpy()
    return {
        "output": output.swapaxes(0, 1),
        "weight_ih": layer.l0_i2h_weight.data().asnumpy(),
        "weight_hh": layer.l0_h2h_weight.data().asnumpy(),
        "bias_ih": layer.l0_i2h_bias.data().asnumpy(),
        "bias_hh": layer.l0_h2h_bias.data().asnumpy(),
    }


def batch_norm(batches):
    """The running statistics are updated by the backward pass."""
    layer, seen = nn.BatchNorm(), []
    layer.initialize()
    for batch in batches:
        with autograd.record():
            output = layer(mx.nd.array(batch))
        output.backward()
        seen.append([output.asnumpy(), layer.running_mean.data().asnumpy(), layer.running_var.data().asnumpy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    layer = nn.LayerNorm()
    layer.initialize()
    return {"output": layer(mx.nd.array(x)).asnumpy()}


def gelu(x):
    return nn.GELU()(mx.nd.array(x)).asnumpy()


def average_pool(x):
    return nn.AvgPool2D(3, strides=1, padding=1)(mx.nd.array(x)).asnumpy()


def hard_sigmoid(x):
    return mx.nd.hard_sigmoid(mx.nd.array(x)).asnumpy()


def transposed_convolution(x):
    layer = nn.Conv2DTranspose(1, 3, strides=2, use_bias=False)
    layer.initialize()
    return {"output": layer(mx.nd.array(x)).asnumpy(), "weight": layer.weight.data().asnumpy()}


def resize(x):
    return mx.nd.contrib.BilinearResize2D(mx.nd.array(x), height=6, width=6).asnumpy()


def train(weight, gradients, optimizer, options=None, learning_rates=()):
    parameter = gluon.Parameter("weight", shape=weight.shape)
    parameter.initialize()
    parameter.set_data(mx.nd.array(weight))
    trainer = gluon.Trainer([parameter], optimizer=optimizer, optimizer_params=options)
    weights = []
    for step, gradient in enumerate(gradients):
        if learning_rates:
            trainer.set_learning_rate(learning_rates[step])
        with autograd.record():
            loss = (parameter.data() * mx.nd.array(gradient)).sum()
        loss.backward()
        trainer.step(1)  # the batch size, by which it divides the gradient
        weights.append(parameter.data().asnumpy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    options = {"learning_rate": learning_rates[0], "momentum": momentum}
    return train(weight, gradients, "sgd", options, learning_rates)


def adam(weight, gradients, learning_rate):
    return train(weight, gradients, "adam")


def rmsprop(weight, gradients, learning_rate):
    return train(weight, gradients, "rmsprop", {"learning_rate": learning_rate})


def clip_norm(first, second, limit):
    gradients = [mx.nd.array(first), mx.nd.array(second)]
    gluon.utils.clip_global_norm(gradients, limit)
    return [gradient.asnumpy() for gradient in gradients]


def cross_entropy(scores, labels):
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    return loss(mx.nd.array(scores), mx.nd.array(labels)).asnumpy()


def dropout(x):
    """It drops while autograd records, and then only."""
    with autograd.record():
        training = nn.Dropout(0.5)(mx.nd.array(x))
    return {"training": training.asnumpy(), "unsaid": nn.Dropout(0.5)(mx.nd.array(x)).asnumpy()}


def loader(x, batch_size):
    return [batch.asnumpy() for batch in gluon.data.DataLoader(gluon.data.ArrayDataset(x), batch_size)]


def shuffled_loader(x, batch_size):
    return [batch.asnumpy() for batch in gluon.data.DataLoader(gluon.data.ArrayDataset(x), batch_size, shuffle=True)]


def input_gradient(x):
    x = mx.nd.array(x)
    layer = nn.Conv2D(4, 3)
    layer.initialize()
    with autograd.record():
        output = layer(x)
    output.backward()
    return np.zeros(0) if x.grad is None else x.grad.asnumpy()
