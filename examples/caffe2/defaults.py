"""What Caffe2 does when one says nothing."""

import os
import tempfile

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import brew, optimizer, utils, workspace
from caffe2.python.gru_cell import GRU
from caffe2.python.model_helper import ModelHelper
from caffe2.python.modeling.initializers import Initializer

unanswered = {
    "embedding.weights": "must be given: an embedding is the operator Gather, on a blob that one fills oneself",
    "adam.learning_rate": "must be given: build_adam has no rate of its own",
    "dropout.unsaid": "must be given: brew.dropout insists on is_test",
    "shuffled_loader": "db_input reads a database in the order in which it was written",
}


def run(model, **blobs):
    workspace.ResetWorkspace()
    for name, array in blobs.items():
        workspace.FeedBlob(name, array)
    workspace.RunNetOnce(model.param_init_net)
    workspace.RunNetOnce(model.net)


def convolution(x, kernel):
    """It takes a list of two numbers for a kernel, but no tuple."""
    model = ModelHelper("convolution")
    brew.conv(model, "x", "y", 64, 96, kernel)
    run(model, x=x)
    output, weight, bias = workspace.FetchBlobs(["y", "y_w", "y_b"])
    return {"output": output, "weight": weight, "bias": bias, "native": np.array(output.shape)}


def dense(x):
    model = ModelHelper("dense")
    brew.fc(model, "x", "y", 640, 320)
    run(model, x=x)
    output, weight, bias = workspace.FetchBlobs(["y", "y_w", "y_b"])
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


def train(weight, gradients, build, learning_rates, **options):
    workspace.ResetWorkspace()
    model = ModelHelper("train")
    model.create_param("weight", weight.shape, Initializer("GivenTensorFill", values=weight))
    model.net.Mul(["weight", "gradient"], "product")
    model.net.SumElements("product", "loss")
    model.AddGradientOperators(["loss"])
    build(model, learning_rates[0], allow_lr_injection=True, **options)
    workspace.RunNetOnce(model.param_init_net)
    workspace.CreateNet(model.net, input_blobs=["gradient"])
    weights = []
    for gradient, learning_rate in zip(gradients, learning_rates):
        optimizer.set_lr_injection(learning_rate / learning_rates[0])  # a factor: the rate itself is part of the net
        workspace.FeedBlob("gradient", gradient)
        workspace.RunNet(model.net)
        weights.append(workspace.FetchBlob("weight"))
    return weights


def momentum(weight, gradients, learning_rates, momentum):
    return train(weight, gradients, optimizer.build_sgd, learning_rates, momentum=momentum)


def adam(weight, gradients, learning_rate):
    return train(weight, gradients, optimizer.build_adam, [learning_rate] * len(gradients))


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
    workspace.ResetWorkspace()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.minidb")
        write(x, path)
        model = ModelHelper("loader")
        brew.db_input(model, ["x"], batch_size, path, "minidb")
        workspace.RunNetOnce(model.param_init_net)
        workspace.CreateNet(model.net)
        batches = []
        while sum(map(len, batches)) < len(x):
            workspace.RunNet(model.net)
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
