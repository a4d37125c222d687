"""What MindSpore does when nothing is said: each function builds one thing from what is required, and no more."""

import mindspore
import numpy as np
from mindspore import Parameter, Tensor, nn
from mindspore.dataset import GeneratorDataset, NumpySlicesDataset


def arrays(**tensors):
    return {name: tensor.asnumpy() for name, tensor in tensors.items()}


def convolution(x, kernel):
    layer = nn.Conv2d(64, 96, kernel)
    output = layer(Tensor(x))
    bias = {} if layer.bias is None else arrays(bias=layer.bias)
    return dict(arrays(output=output, weight=layer.weight), native=np.array(output.shape), **bias)


def dense(x):
    layer = nn.Dense(640, 320)
    return arrays(output=layer(Tensor(x)), weight=layer.weight, bias=layer.bias)


def embedding(indices):
    layer = nn.Embedding(1000, 64)
    return arrays(output=layer(Tensor(indices)), weight=layer.embedding_table)


def gru(x):
    """Its default axes are time, batch, features: with batch first it would take samples for time steps, silently."""
    layer = nn.GRU(48, 32)
    outputs, _ = layer(Tensor(x.swapaxes(0, 1).copy()))
    weights = {weight.name.replace("_l0", ""): weight for weight in layer.get_parameters()}
    return arrays(output=outputs.swapaxes(0, 1), **weights)


def max_pool(x):
    layer, x = nn.MaxPool2d(2), Tensor(x)
    return arrays(output=layer(x), gradient=mindspore.grad(lambda x: layer(x).sum())(x))


def lstm(x):
    layer = nn.LSTM(48, 32)
    outputs, _ = layer(Tensor(x.swapaxes(0, 1).copy()))
    weights = {weight.name.replace("_l0", ""): weight for weight in layer.get_parameters()}
    return arrays(output=outputs.swapaxes(0, 1), **weights)


def batch_norm(batches):
    layer, seen = nn.BatchNorm1d(3).set_train(), []
    for batch in batches:
        output = layer(Tensor(batch)).asnumpy()
        seen.append([output, layer.moving_mean.asnumpy().copy(), layer.moving_variance.asnumpy().copy()])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    return arrays(output=nn.LayerNorm((8,))(Tensor(x)))


def gelu(x):
    """The layer; the function ops.gelu has another default."""
    return nn.GELU()(Tensor(x)).asnumpy()


def leaky_relu(x):
    return nn.LeakyReLU()(Tensor(x)).asnumpy()


def average_pool(x):
    return nn.AvgPool2d(3, stride=1, pad_mode="pad", padding=1)(Tensor(x)).asnumpy()


def strided_convolution(x):
    layer = nn.Conv2d(1, 1, 3, stride=2, pad_mode="same")
    return arrays(output=layer(Tensor(x)), weight=layer.weight)


def hard_sigmoid(x):
    return nn.HSigmoid()(Tensor(x)).asnumpy()


def transposed_convolution(x):
    layer = nn.Conv2dTranspose(1, 1, 3, stride=2)
    return arrays(output=layer(Tensor(x)), weight=layer.weight)


def resize(x):
    return mindspore.ops.interpolate(Tensor(x), size=(6, 6), mode="bilinear").asnumpy()


def steps(optimizer, parameter, gradients):
    weights = []
    for gradient in gradients:
        optimizer((Tensor(gradient),))
        weights.append(parameter.asnumpy().copy())
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    weight, weights = Parameter(Tensor(weight), name="weight"), []
    optimizer = nn.Momentum([weight], learning_rates[0], momentum)
    for gradient, learning_rate in zip(gradients, learning_rates):
        mindspore.ops.assign(optimizer.learning_rate, Tensor(learning_rate, mindspore.float32))  # set_data is ignored
        weights += steps(optimizer, weight, [gradient])
    return weights


def adam(weight, gradients, learning_rate):
    weight = Parameter(Tensor(weight), name="weight")
    return steps(nn.Adam([weight]), weight, gradients)


def adamw(weight, gradients, learning_rate):
    weight = Parameter(Tensor(weight), name="weight")
    return steps(nn.AdamWeightDecay([weight], learning_rate), weight, gradients)


def rmsprop(weight, gradients, learning_rate):
    weight = Parameter(Tensor(weight), name="weight")
    return steps(nn.RMSProp([weight], learning_rate), weight, gradients)


def clip_norm(first, second, limit):
    clipped = mindspore.ops.clip_by_norm([Tensor(first), Tensor(second)], limit)
    return [gradient.asnumpy() for gradient in clipped]


def cross_entropy(scores, labels):
    return nn.CrossEntropyLoss()(Tensor(scores), Tensor(labels)).asnumpy()


def dropout(x):
    x, training = Tensor(x), nn.Dropout()
    training.set_train()
    return arrays(training=training(x), unsaid=nn.Dropout()(x))


def batches(dataset, batch_size):
    return [batch for (batch,) in dataset.batch(batch_size).create_tuple_iterator(output_numpy=True)]


def loader(x, batch_size):
    return batches(NumpySlicesDataset((x,), column_names=["x"]), batch_size)


def shuffled_loader(x, batch_size):
    return batches(NumpySlicesDataset((x,), column_names=["x"], shuffle=True), batch_size)


def padding(sequences, length):
    dataset = GeneratorDataset([(np.array(sequence),) for sequence in sequences], column_names=["words"], shuffle=False)
    dataset = dataset.padded_batch(len(sequences), pad_info={"words": ([length], None)})
    [(padded,)] = dataset.create_tuple_iterator(output_numpy=True)
    return padded


def input_gradient(x):
    """value_and_grad derives with respect to its first argument unless it is told not to."""
    layer = nn.Conv2d(3, 4, 3)
    _, gradient = mindspore.value_and_grad(lambda x: layer(x).sum())(Tensor(x))
    return gradient.asnumpy()
