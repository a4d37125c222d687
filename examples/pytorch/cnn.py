"""A VGG-style CNN on CIFAR-10 in PyTorch."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rosetta_common.data import cifar_for_library, minibatches
from rosetta_common.params import cnn as params


def load_data():
    x_train, x_test, y_train, y_test = cifar_for_library(channel_first=True, one_hot=False)
    return x_train, x_test, y_train.astype(np.int64), y_test.astype(np.int64)  # the type that PyTorch wants of labels


def create_symbol():
    drop1, drop2, drop3 = params.dropout
    return nn.Sequential(
        nn.Conv2d(3, 50, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(50, 50, kernel_size=3, padding="same"),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Dropout(drop1),
        nn.Conv2d(50, 100, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(100, 100, kernel_size=3, padding="same"),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Dropout(drop2),
        nn.Flatten(),
        nn.Linear(100 * 8 * 8, 512),  # 32 pixels a side, halved twice
        nn.ReLU(),
        nn.Dropout(drop3),
        nn.Linear(512, params.classes),
    )


def parameters(symbol):
    """Weights and biases by their canonical names: (out, in, 3, 3) and (out, in) are PyTorch's layouts as well."""
    layers = ["conv1", "conv2", "conv3", "conv4", "fc1", "fc2"]
    return dict(zip([f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")], symbol.parameters()))


def init_model(symbol):
    np.random.seed(params.seed)
    torch.manual_seed(params.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    for parameter in symbol.parameters():
        nn.init.xavier_uniform_(parameter) if parameter.dim() > 1 else nn.init.zeros_(parameter)
    # On a CPU, convolutions run faster in channels-last memory than in PyTorch's default; shapes and maths stay.
    network = symbol.to(device, getattr(torch, params.dtype), memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss()  # soft-max included: the network ends in logits
    optimiser = torch.optim.SGD(network.parameters(), lr=params.learning_rate, momentum=params.momentum)
    return SimpleNamespace(network=network, device=device, loss=loss, optimiser=optimiser)


def train_epoch(model, batches):
    model.network.train()
    losses = []
    for data, target in batches:
        data, target = data.to(model.device), target.to(model.device)
        model.optimiser.zero_grad()
        loss = model.loss(model.network(data), target)
        loss.backward()
        model.optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


def train(model, x, y):
    return train_epoch(model, (map(torch.from_numpy, batch) for batch in minibatches(x, y, params.batch_size)))


def train_with_loader(model, x, y):
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    return train_epoch(model, DataLoader(dataset, params.batch_size, shuffle=True, drop_last=True))


def set_learning_rate(model, learning_rate):
    for group in model.optimiser.param_groups:
        group["lr"] = learning_rate


@torch.no_grad()
def predict(model, x):
    model.network.eval()
    batches = torch.from_numpy(x).split(params.batch_size)
    return torch.cat([model.network(data.to(model.device)).cpu() for data in batches]).numpy()


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    return {name: parameter.detach().cpu().numpy().copy() for name, parameter in parameters(model.network).items()}


@torch.no_grad()
def import_weights(model, weights):
    for name, parameter in parameters(model.network).items():
        parameter.copy_(torch.from_numpy(weights[name]))


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
