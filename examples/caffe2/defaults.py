"""What Caffe2 does when one says nothing."""

import os
import tempfile

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import brew, optimizer, utils, workspace
from caffe2.python.gru_cell import GRU
from caffe2.python.model_helper import ModelHelper
from caffe2.python.modeling.initializers import Initializer
from caffe2.python.rnn_cell import LSTM

unanswered = {
    "embedding.weights": "must be given: an embedding is the operator Gather, on a blob that one fills oneself",
    "adam.learning_rate": "must be given: build_adam has no rate of its own",
    "dropout.unsaid": "must be given: brew.dropout insists on is_test",
    "shuffled_loader": "db_input reads a database in the order in which it was written",
    "strided_convolution": "must be given: Caffe2 pads by a number, the same on both sides",
    "adamw": "Caffe2 has no AdamW",
}


def run(model, **blobs):
    workspace.ResetWorkspace()
    for name, array in blobs.items():
        workspace.FeedBlob(name, array)
    workspace.RunNetOnce(model.param_init_net)
    workspace.RunNetOnce(model.net)


def start(model, **options):
    """Fill the parameters, and make the net ready to run many times."""
    workspace.ResetWorkspace()
    workspace.RunNetOnce(model.param_init_net)
    workspace.CreateNet(model.net, **options)


def step(model, **blobs):
    for name, array in blobs.items():
        workspace.FeedBlob(name, array)
    workspace.RunNet(model.net)


def convolution(x, kernel):
    """It takes a list of two numbers for a kernel, but no tuple."""
    model = ModelHelper("convolution")
    brew.conv(model, "x", "y", 64, 96, kernel)
    run(model, x=x)
    output, weight, bias = map(workspace.FetchBlob, ["y", "y_w", "y_b"])
    return {"output": output, "weight": weight, "bias": bias, "native": np.array(output.shape)}


def dense(x):
    model = ModelHelper("dense")
    brew.fc(model, "x", "y", 640, 320)
    run(model, x=x)
    output, weight, bias = map(workspace.FetchBlob, ["y", "y_w", "y_b"])
    return {"output": output, "weight": weight, "bias": bias}


def embedding(indices):
    weight = np.random.uniform(-0.05, 0.05, (1000, 64)).astype("float32")
    model = ModelHelper("embedding")
    model.net.Gather(["weight", "indices"], "vectors")
    run(model, weight=weight, indices=indices)
    return {"output": workspace.FetchBlob("vectors"), "weight": weight}


def gru(x):
    """Time comes first, before the batch; the gates' recurrent weights lie apart."""
    model = ModelHelper("gru")
    outputs, _ = GRU(model, "x", None, ["start"], 48, 32, "gru")
    run(model, x=x.swapaxes(0, 1), start=np.zeros((1, 5, 32), "float32"))
    recurrent = ["gru/reset_gate_t", "gru/update_gate_t", "gru/output_gate_t"]
    return {
        "output": workspace.FetchBlob(outputs).swapaxes(0, 1),
        "weight_ih": workspace.FetchBlob("gru/i2h_w"),
        "weight_hh": np.concatenate([workspace.FetchBlob(gate + "_w") for gate in recurrent]),
        "bias_ih": workspace.FetchBlob("gru/i2h_b"),
        "bias_hh": np.concatenate([workspace.FetchBlob(gate + "_b") for gate in recurrent]),
    }


def max_pool(x):
    model = ModelHelper("max_pool")
    brew.max_pool(model, "x", "y", kernel=2)
    model.net.SumElements("y", "sum")
    model.AddGradientOperators(["sum"])
    run(model, x=x)
    return {"output": workspace.FetchBlob("y"), "gradient": workspace.FetchBlob("x_grad")}


def lstm(x):
    """Time comes first, before the batch."""
    model = ModelHelper("lstm")
    outputs, *_ = LSTM(model, "x", None, ["hidden", "cell"], 48, 32, "lstm")
    start = np.zeros((1, 5, 32), "float32")
    run(model, x=x.swapaxes(0, 1), hidden=start, cell=start)
    return {
        "output": workspace.FetchBlob(outputs).swapaxes(0, 1),
        "weight_ih": workspace.FetchBlob("lstm/i2h_w"),
        "weight_hh": workspace.FetchBlob("lstm/gates_t_w"),
        "bias_ih": workspace.FetchBlob("lstm/i2h_b"),
        "bias_hh": workspace.FetchBlob("lstm/gates_t_b"),
    }


def batch_norm(batches):
    """It has no default for is_test, as dropout has none."""
    model, seen = ModelHelper("batch_norm"), []
    brew.spatial_bn(model, "x", "y", 3, is_test=False)
    start(model, input_blobs=["x"])
    for batch in batches:
        step(model, x=batch[:, :, np.newaxis, np.newaxis])
        output, mean, variance = map(workspace.FetchBlob, ["y", "y_rm", "y_riv"])
        seen.append([output[:, :, 0, 0], mean, variance])
    training, mean, variance = map(np.stack, zip(*seen))
    return {"training": training, "mean": mean, "variance": variance}


def layer_norm(x):
    model = ModelHelper("layer_norm")
    brew.layer_norm(model, "x", "y", 8)
    run(model, x=x)
    return {"output": workspace.FetchBlob("y")}


def gelu(x):
    model = ModelHelper("gelu")
    model.net.Gelu("x", "y")
    run(model, x=x)
    return workspace.FetchBlob("y")


def leaky_relu(x):
    model = ModelHelper("leaky_relu")
    model.net.LeakyRelu("x", "y")
    run(model, x=x)
    return workspace.FetchBlob("y")


def average_pool(x):
    model = ModelHelper("average_pool")
    brew.average_pool(model, "x", "y", kernel=3, stride=1, pad=1)
    run(model, x=x)
    return workspace.FetchBlob("y")


def hard_sigmoid(x):
    model = ModelHelper("hard_sigmoid")
    model.net.HardSigmoid("x", "y")
    run(model, x=x)
    return workspace.FetchBlob("y")


def transposed_convolution(x):
    model = ModelHelper("transposed_convolution")
    brew.conv_transpose(model, "x", "y", 1, 1, 3, stride=2)
    run(model, x=x)
    return {"output": workspace.FetchBlob("y"), "weight": workspace.FetchBlob("y_w")}


def resize(x):
    model = ModelHelper("resize")
    model.net.UpsampleBilinear("x", "y", width_scale=2.0, height_scale=2.0)
    run(model, x=x)
    return workspace.FetchBlob("y")


def train(weight, gradients, build, learning_rates, **options):
    model = ModelHelper("train")
    model.create_param("weight", weight.shape, Initializer("GivenTensorFill", values=weight))
    model.net.Mul(["weight", "gradient"], "product")
    model.net.SumElements("product", "loss")
    model.AddGradientOperators(["loss"])
    build(model, learning_rates[0], allow_lr_injection=True, **options)
    start(model, input_blobs=["gradient"])
    weights = []
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.set_lr_injection(learning_rate / learning_rates[0])  # a factor: the rate itself is part of the net
        step(model, gradient=gradient)
        weights.append(workspace.FetchBlob("weight"))
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    return train(weight, gradients, optimizer.build_sgd, learning_rates, momentum=momentum)


def adam(weight, gradients, learning_rate):
    return train(weight, gradients, optimizer.build_adam, [learning_rate] * len(gradients))


def rmsprop(weight, gradients, learning_rate):
    return train(weight, gradients, optimizer.build_rms_prop, [learning_rate] * len(gradients))


def clip_norm(first, second, limit):
    """A step of rate 1 from zero shows the gradients."""
    model, losses = ModelHelper("clip_norm"), []
    for name in ("first", "second"):
        model.create_param(name, [2], Initializer("ConstantFill", value=0.0))
        model.net.Mul([name, name + "_gradient"], name + "_product")
        losses.append(model.net.SumElements(name + "_product", name + "_loss"))
    model.AddGradientOperators(losses)
    optimizer.build_sgd(model, 1.0, max_gradient_norm=limit)
    run(model, first_gradient=first, second_gradient=second)
    return [-workspace.FetchBlob(name) for name in ("first", "second")]


def cross_entropy(scores, labels):
    model = ModelHelper("cross_entropy")
    model.net.SoftmaxWithLoss(["scores", "labels"], ["softmax", "loss"])
    run(model, scores=scores, labels=labels)
    return workspace.FetchBlob("loss")


def dropout(x):
    model = ModelHelper("dropout")
    brew.dropout(model, "x", "y", ratio=0.5, is_test=False)
    run(model, x=x)
    return {"training": workspace.FetchBlob("y")}


def write(x, path):
    """A database of one serialized tensor a sample, as in the tutorial "Create your own dataset"."""
    database = workspace.C.create_db("minidb", path, workspace.C.Mode.write)
    transaction = database.new_transaction()
    for number, sample in enumerate(x):
        record = caffe2_pb2.TensorProtos(protos=[utils.NumpyArrayToCaffe2Tensor(sample)])
        transaction.put(f"{number:08}", record.SerializeToString())
    del transaction  # which commits it
    database.close()


def loader(x, batch_size):
    """The reader knows of no epoch: after a database's last sample comes its first, so one counts for oneself."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.minidb")
        write(x, path)
        model = ModelHelper("loader")
        brew.db_input(model, ["x"], batch_size, path, "minidb")
        start(model)
        batches = []
        while sum(map(len, batches)) < len(x):
            step(model)
            batches.append(workspace.FetchBlob("x"))
    return batches


def padding(sequences, length):
    model = ModelHelper("padding")
    model.net.PackSegments(["lengths", "words"], "padded", max_length=length)
    lengths = np.array([len(sequence) for sequence in sequences], "int32")
    run(model, lengths=lengths, words=np.concatenate(sequences))
    return workspace.FetchBlob("padded")


def input_gradient(x):
    model = ModelHelper("input_gradient")
    brew.conv(model, "x", "y", 3, 4, 3)
    model.net.SumElements("y", "sum")
    model.AddGradientOperators(["sum"])
    run(model, x=x)
    return workspace.FetchBlob("x_grad")
