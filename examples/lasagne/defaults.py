"""What Lasagne, and Theano beneath it, do when one says nothing."""

import lasagne
import lasagne.layers as L
import numpy as np
import theano
import theano.tensor as T

unanswered = {
    "loader": "Lasagne has no loader: its examples slice the arrays in a few lines of their own",
    "shuffled_loader": "Lasagne has no loader: its examples shuffle and slice the arrays in a few lines of their own",
    "padding": "Lasagne has nothing that pads sequences",
    "input_gradient": "Theano derives only what is asked for: the step of training holds no gradient to the input",
    "lstm.order": "each gate has weights of its own",
    "batch_norm": "Lasagne 0.1 has no batch normalization: it came after its one release",
    "layer_norm": "Lasagne has no layer normalization",
    "gelu": "Lasagne has no GELU",
    "average_pool": "must be given: the mode of Pool2DLayer, by default the maximum, says whether the border counts",
    "adamw": "Lasagne has no AdamW",
    "transposed_convolution": "Lasagne 0.1 has no transposed convolution",
    "resize": "Lasagne 0.1 repeats pixels, and has no bilinear resize",
}


def convolution(x, kernel):
    layer = L.Conv2DLayer(L.InputLayer(x.shape), 96, kernel)
    output = forward(layer, x)
    weight, bias = layer.W.get_value(), layer.b.get_value()
    return {"output": output, "weight": weight, "bias": bias, "native": np.array(output.shape)}


def forward(layer, x, **options):
    """What a layer makes of x. Its input is in floatX, as its weights are: 64 bits, unless Theano is told otherwise."""
    return theano.function([L.get_all_layers(layer)[0].input_var], L.get_output(layer, **options))(x)


def dense(x):
    layer = L.DenseLayer(L.InputLayer(x.shape), 320)
    return {"output": forward(layer, x), "weight": layer.W.get_value().T, "bias": layer.b.get_value()}


def embedding(indices):
    layer = L.EmbeddingLayer(L.InputLayer(indices.shape, T.lvector()), 1000, 64)
    return {"output": forward(layer, indices), "weight": layer.W.get_value()}


def gru(x):
    """Its update gate lets in what others keep out; each gate has a weight of its own."""
    layer = L.GRULayer(L.InputLayer(x.shape), 32)
    weight_ih = [layer.W_in_to_resetgate, layer.W_in_to_updategate, layer.W_in_to_hidden_update]
    weight_hh = [layer.W_hid_to_resetgate, layer.W_hid_to_updategate, layer.W_hid_to_hidden_update]
    bias = [layer.b_resetgate, layer.b_updategate, layer.b_hidden_update]
    return {
        "output": forward(layer, x),
        "weight_ih": np.concatenate([weight.get_value().T for weight in weight_ih]),
        "weight_hh": np.concatenate([weight.get_value().T for weight in weight_hh]),
        "bias_ih": np.concatenate([part.get_value() for part in bias]),
        "complement": np.array(1),
    }


def max_pool(x):
    layer = L.MaxPool2DLayer(L.InputLayer(x.shape), 2)
    images, output = layer.input_layer.input_var, L.get_output(layer)
    gradient = theano.function([images], theano.grad(output.sum(), images))
    return {"output": forward(layer, x), "gradient": gradient(x)}


def lstm(x):
    """Each gate has weights of its own, and by default a peephole to the cell."""
    layer = L.LSTMLayer(L.InputLayer(x.shape), 32)
    gates = ["ingate", "forgetgate", "cell", "outgate"]
    weight_ih = [getattr(layer, f"W_in_to_{gate}").get_value().T for gate in gates]
    weight_hh = [getattr(layer, f"W_hid_to_{gate}").get_value().T for gate in gates]
    return {
        "output": forward(layer, x),
        "weight_ih": np.concatenate(weight_ih),
        "weight_hh": np.concatenate(weight_hh),
        "bias_ih": np.concatenate([getattr(layer, f"b_{gate}").get_value() for gate in gates]),
        "peepholes": np.stack([getattr(layer, f"W_cell_to_{gate}").get_value() for gate in gates if gate != "cell"]),
    }


def leaky_relu(x):
    return lasagne.nonlinearities.leaky_rectify(theano.shared(x)).eval()


def strided_convolution(x):
    layer = L.Conv2DLayer(L.InputLayer(x.shape), 1, 3, stride=2, pad="same", b=None, nonlinearity=None)
    return {"output": forward(layer, x), "weight": layer.W.get_value()}


def hard_sigmoid(x):
    return T.nnet.hard_sigmoid(theano.shared(x)).eval()


def momentum(weight, gradients, learning_rates, momentum):
    rate = theano.shared(lasagne.utils.floatX(0))
    return train(lasagne.updates.momentum, weight, gradients, rate, momentum, learning_rates=learning_rates)


def adam(weight, gradients, learning_rate):
    return train(lasagne.updates.adam, weight, gradients)


def rmsprop(weight, gradients, learning_rate):
    return train(lasagne.updates.rmsprop, weight, gradients, learning_rate)


def clip_norm(first, second, limit):
    clipped = lasagne.updates.total_norm_constraint([theano.shared(first), theano.shared(second)], limit)
    return [gradient.eval() for gradient in clipped]


def train(optimizer, weight, gradients, *rates, learning_rates=()):
    """The weight is in floatX, as a layer makes its own: one of 32 bits would be refused while floatX has 64."""
    weight, gradient = theano.shared(lasagne.utils.floatX(weight)), T.vector()
    step = theano.function([gradient], updates=optimizer([gradient], [weight], *rates))
    steps = []
    for number, values in enumerate(gradients):
        if learning_rates:
            rates[0].set_value(lasagne.utils.floatX(learning_rates[number]))
        step(values)
        steps.append(weight.get_value())
    return steps


def cross_entropy(scores, labels):
    """It wants probabilities: a classifier's last layer is a softmax."""
    return lasagne.objectives.categorical_crossentropy(theano.shared(scores), theano.shared(labels)).eval()


def dropout(x):
    """It drops half unless told, and in training and test alike, unless told that all is deterministic."""
    training, unsaid = L.DropoutLayer(L.InputLayer(x.shape)), L.DropoutLayer(L.InputLayer(x.shape))
    return {"training": forward(training, x, deterministic=False), "unsaid": forward(unsaid, x)}
