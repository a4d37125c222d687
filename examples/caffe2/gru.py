"""A GRU on IMDB reviews in Caffe2."""

from types import SimpleNamespace

import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import brew, core, optimizer, workspace
from caffe2.python.gru_cell import GRU
from caffe2.python.model_helper import ModelHelper
from caffe2.python.modeling.initializers import Initializer

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params

DEVICE = core.DeviceOption(workspace.GpuDeviceType if workspace.has_gpu_support else caffe2_pb2.CPU)
workspace.GlobalInit(["caffe2", "--caffe2_log_level=3"])  # without its messages on how it was built


def load_data():
    """Reviews (n, 150) and integer class labels."""
    return imdb_for_library()


def create_symbol():
    """One network in two nets, to train and to predict. They share weights, as blobs go by name."""
    train, predict = ModelHelper("train"), ModelHelper("predict", init_params=False)
    for model in (train, predict):
        with core.DeviceScope(DEVICE):
            table = model.create_param("embedding", [params.vocabulary, params.embedding], Initializer("XavierFill"))
            # A sparse gradient would leave the moments of absent words as they are, which is another Adam.
            x = model.Gather([table, "words"], "vectors", dense_gradient=True)
            x, _ = model.Reshape(x, ["sequence", "flat"], shape=[params.max_length, -1, params.embedding])
            # Its default would apply the reset gate before the recurrent product. (1,): the last state's gradient.
            options = {"linear_before_reset": True, "outputs_with_grads": (1,), "forward_only": model is predict}
            _, last = GRU(model, x, None, ["start"], params.embedding, params.units, "gru", **options)
            brew.fc(model, model.Squeeze(last, "last", dims=[0]), "fc", params.units, params.classes)
    return SimpleNamespace(train=train, predict=predict)


def init_model(symbol):
    np.random.seed(params.seed)
    workspace.ResetWorkspace()
    with core.DeviceScope(DEVICE):
        _, loss = symbol.train.SoftmaxWithLoss(["fc", "label"], ["softmax", "loss"])  # the mean over the batch
        symbol.train.AddGradientOperators([loss])
        adam = {"beta1": params.beta1, "beta2": params.beta2, "epsilon": params.epsilon}
        optimizer.build_adam(symbol.train, params.learning_rate, **adam)
    # Adam takes its first step for the second: it adds one to a count that has gone on already. Here it goes on after.
    symbol.train.net.Proto().op.sort(key=lambda operator: operator.type == "AtomicIter")
    workspace.RunNetOnce(symbol.train.param_init_net)
    weights = export_weights(symbol)
    for name, weight in weights.items():
        if weight.ndim == 2:  # Glorot-uniform: Caffe2's XavierFill looks at the fan-in alone
            bound = params.embedding_bound if name == "embedding" else np.sqrt(6 / sum(weight.shape))
            weights[name] = np.random.uniform(-bound, bound, weight.shape).astype(params.dtype)
    import_weights(symbol, weights)
    workspace.CreateNet(symbol.train.net, input_blobs=["words", "start", "label"])
    workspace.CreateNet(symbol.predict.net)
    return symbol


def run(net, data):
    workspace.FeedBlob("words", data.T.ravel(), DEVICE)  # time first; and flat, for the dense gradient
    workspace.FeedBlob("start", np.zeros((1, len(data), params.units), params.dtype), DEVICE)
    workspace.RunNet(net)


def train(model, x, y):
    losses = []
    for data, target in minibatches(x, y, params.batch_size):
        workspace.FeedBlob("label", target, DEVICE)
        run(model.train.net, data)
        losses.append(workspace.FetchBlob("loss"))
    return float(np.mean(losses))


def predict(model, x):
    scores = []
    for start in range(0, len(x), params.batch_size):
        run(model.predict.net, x[start : start + params.batch_size])
        scores.append(workspace.FetchBlob("fc"))
    return np.concatenate(scores)


def evaluate(model, x, y):
    workspace.FeedBlob("scores", predict(model, x))
    workspace.FeedBlob("truth", y)
    workspace.RunOperatorOnce(core.CreateOperator("Accuracy", ["scores", "truth"], ["accuracy"]))
    return float(workspace.FetchBlob("accuracy"))


def parameters():
    """Canonical name -> Caffe2's blobs: the gates' recurrent weights lie apart, in the canonical order r, z, n."""
    blobs = {"embedding": ["embedding"]}
    for short, kind in (("w", "weight"), ("b", "bias")):
        blobs[f"gru.{kind}_ih"] = [f"gru/i2h_{short}"]
        blobs[f"gru.{kind}_hh"] = [f"gru/{gate}_gate_t_{short}" for gate in ("reset", "update", "output")]
        blobs[f"fc.{kind}"] = [f"fc_{short}"]
    return blobs


def export_weights(model):
    return {name: np.concatenate([workspace.FetchBlob(blob) for blob in blobs]) for name, blobs in parameters().items()}


def import_weights(model, weights):
    for name, blobs in parameters().items():
        for blob, part in zip(blobs, np.split(weights[name], len(blobs))):
            workspace.FeedBlob(blob, part, DEVICE)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
