"""A VGG-style CNN on CIFAR-10 in Caffe2."""

from types import SimpleNamespace

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import brew, core, optimizer, workspace
from caffe2.python.model_helper import ModelHelper

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params

FIELDS = {"conv1": 3, "conv2": 3, "conv3": 3, "conv4": 3, "fc1": 8, "fc2": 1}  # the width of what each unit sees
DEVICE = core.DeviceOption(workspace.GpuDeviceType if workspace.has_gpu_support else caffe2_pb2.CPU)
workspace.GlobalInit(["caffe2", "--caffe2_log_level=3"])  # without its messages on how it was built


def load_data():
    return cifar_for_library(channel_first=False, one_hot=False)  # NHWC: on a CPU faster than Caffe2's default, NCHW


def create_symbol():
    """One network in two nets: to train, with dropout, and to predict. They share weights, as blobs go by name."""
    drop1, drop2, drop3 = map(float, params.dropout)  # an operator takes 0 for an integer
    train = ModelHelper("train", arg_scope={"order": "NHWC", "is_test": False})
    predict = ModelHelper("predict", arg_scope={"order": "NHWC", "is_test": True}, init_params=False)
    for model in (train, predict):
        with core.DeviceScope(DEVICE):
            x = brew.conv(model, "data", "conv1", 3, 50, kernel=3, pad=1, no_gradient_to_input=True)
            x = brew.conv(model, brew.relu(model, x, "relu1"), "conv2", 50, 50, kernel=3, pad=1)
            x = brew.relu(model, brew.max_pool(model, x, "pool1", kernel=2, stride=2), "relu2")
            x = brew.dropout(model, x, "drop1", ratio=drop1)
            x = brew.conv(model, x, "conv3", 50, 100, kernel=3, pad=1)
            x = brew.conv(model, brew.relu(model, x, "relu3"), "conv4", 100, 100, kernel=3, pad=1)
            x = brew.relu(model, brew.max_pool(model, x, "pool2", kernel=2, stride=2), "relu4")
            x = brew.dropout(model, x, "drop2", ratio=drop2)
            x = brew.relu(model, brew.fc(model, x, "fc1", 8 * 8 * 100, 512), "relu5")  # fc flattens what it gets
            brew.fc(model, brew.dropout(model, x, "drop3", ratio=drop3), "fc2", 512, params.classes)
    return SimpleNamespace(train=train, predict=predict)


def init_model(symbol):
    np.random.seed(params.seed)
    workspace.ResetWorkspace()
    with core.DeviceScope(DEVICE):
        _, loss = symbol.train.SoftmaxWithLoss(["fc2", "label"], ["softmax", "loss"])  # the mean over the batch
        symbol.train.AddGradientOperators([loss])
        # Nesterov's momentum is the default.
        optimizer.build_sgd(
            symbol.train, params.learning_rate, momentum=params.momentum, nesterov=False, allow_lr_injection=True
        )
    for operator in symbol.train.net.Proto().op:
        operator.device_option.random_seed = np.random.randint(2**31)  # dropout's, each layer its own
    workspace.RunNetOnce(symbol.train.param_init_net)
    for blob in symbol.train.weights:  # Glorot-uniform: Caffe2's XavierFill looks at the fan-in alone
        shape = workspace.FetchBlob(blob).shape  # (out, 3, 3, in) or (out, in)
        bound = np.sqrt(6 / (np.prod(shape[1:]) + np.prod(shape[:-1])))
        workspace.FeedBlob(blob, np.random.uniform(-bound, bound, shape).astype(params.dtype), DEVICE)
    workspace.CreateNet(symbol.train.net, input_blobs=["data", "label"])
    workspace.CreateNet(symbol.predict.net)
    return symbol


def train(model, x, y):
    losses = []
    for data, target in minibatches(x, y, params.batch_size):
        workspace.FeedBlob("data", data, DEVICE)
        workspace.FeedBlob("label", target, DEVICE)
        workspace.RunNet(model.train.net)
        losses.append(workspace.FetchBlob("loss"))
    return float(np.mean(losses))


def set_learning_rate(model, learning_rate):
    optimizer.set_lr_injection(learning_rate / params.learning_rate)  # a factor: the rate itself is part of the net


def predict(model, x):
    scores = []
    for start in range(0, len(x), params.batch_size):
        workspace.FeedBlob("data", x[start : start + params.batch_size], DEVICE)
        workspace.RunNet(model.predict.net)
        scores.append(workspace.FetchBlob("fc2"))
    return np.concatenate(scores)


def evaluate(model, x, y):
    workspace.FeedBlob("scores", predict(model, x))
    workspace.FeedBlob("truth", y)
    workspace.RunOperatorOnce(core.CreateOperator("Accuracy", ["scores", "truth"], ["accuracy"]))
    return float(workspace.FetchBlob("accuracy"))


def export_weights(model):
    """In NHWC kernels are (out, 3, 3, in), and the columns of fc1.weight (512, 6400) are in the order (8, 8, 100)."""
    weights = {}
    for name, width in FIELDS.items():
        weight = workspace.FetchBlob(name + "_w")
        kernel = weight.reshape(len(weight), width, width, -1).transpose(0, 3, 1, 2)
        weights[name + ".weight"] = kernel.reshape(weight.shape) if weight.ndim == 2 else kernel
        weights[name + ".bias"] = workspace.FetchBlob(name + "_b")
    return weights


def import_weights(model, weights):
    for name, width in FIELDS.items():
        shape = workspace.FetchBlob(name + "_w").shape
        kernel = weights[name + ".weight"].reshape(shape[0], -1, width, width)
        workspace.FeedBlob(name + "_w", kernel.transpose(0, 2, 3, 1).reshape(shape), DEVICE)
        workspace.FeedBlob(name + "_b", weights[name + ".bias"], DEVICE)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
