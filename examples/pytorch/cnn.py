"""A VGG-style CNN on CIFAR-10 in PyTorch."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library, params


def set_dtype(name):
    torch.set_default_dtype(getattr(torch, name))


def load_data():
    x_train, x_test, y_train, y_test = cifar_for_library(channel_first=True, one_hot=False)
    return x_train, x_test, y_train.astype(np.int64), y_test.astype(np.int64)  # the type that PyTorch wants of labels


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 50, kernel_size=3, padding="same")
        self.conv2 = nn.Conv2d(50, 50, kernel_size=3, padding="same")
        self.conv3 = nn.Conv2d(50, 100, kernel_size=3, padding="same")
        self.conv4 = nn.Conv2d(100, 100, kernel_size=3, padding="same")
        self.dropout1, self.dropout2, self.dropout3 = map(nn.Dropout, params.dropout)
        self.fc1 = nn.Linear(100 * 8 * 8, 512)  # 32 pixels a side, halved twice
        self.fc2 = nn.Linear(512, params.classes)

    def forward(self, x):
        x = self.conv2(torch.relu(self.conv1(x)))
        x = self.dropout1(torch.relu(nn.functional.max_pool2d(x, 2)))
        x = self.conv4(torch.relu(self.conv3(x)))
        x = self.dropout2(torch.relu(nn.functional.max_pool2d(x, 2)))
        return self.fc2(self.dropout3(torch.relu(self.fc1(torch.flatten(x, 1)))))


def create_symbol():
    return CNN()


def init_model(symbol):
    np.random.seed(params.seed)
    torch.manual_seed(params.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for parameter in symbol.parameters():
        nn.init.xavier_uniform_(parameter) if parameter.dim() > 1 else nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(symbol.to(device).parameters(), lr=params.learning_rate, momentum=params.momentum)
    loss, compiled = nn.CrossEntropyLoss(), torch.compile(symbol)  # softmax is included; compiled at the first call
    return SimpleNamespace(network=symbol, compiled=compiled, device=device, loss=loss, optimizer=optimizer)


def train_epoch(model, forward, batches):
    model.network.train()
    losses = []
    for data, target in batches:
        data, target = (torch.as_tensor(array, device=model.device) for array in (data, target))
        model.optimizer.zero_grad()
        loss = model.loss(forward(data), target)
        loss.backward()
        model.optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


def train(model, x, y):
    return train_epoch(model, model.network, minibatches(x, y, params.batch_size))


def train_compiled(model, x, y):
    return train_epoch(model, model.compiled, minibatches(x, y, params.batch_size))


def train_tuned(model, x, y):
    torch.backends.cudnn.benchmark = True  # a GPU tries all algorithms; channels-last memory helps on a CPU too
    return train_epoch(model, model.network.to(memory_format=torch.channels_last), minibatches(x, y, params.batch_size))


def train_with_loader(model, x, y):
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    return train_epoch(model, model.network, DataLoader(dataset, params.batch_size, shuffle=True, drop_last=True))


def set_learning_rate(model, learning_rate):
    for group in model.optimizer.param_groups:
        group["lr"] = learning_rate


@torch.no_grad()
def predict(model, x):
    model.network.eval()
    batches = torch.from_numpy(x).split(params.batch_size)
    return torch.cat([model.network(data.to(model.device)).cpu() for data in batches]).numpy()


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def export_weights(model):
    """PyTorch's layouts, (out, in, 3, 3) and (out, in), are the canonical ones, and so are the names of the layers."""
    return {name: weight.cpu().numpy().copy() for name, weight in model.network.state_dict().items()}


def import_weights(model, weights):
    model.network.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
