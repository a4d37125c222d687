"""A GRU on IMDB reviews in PyTorch."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def set_dtype(name):
    torch.set_default_dtype(getattr(torch, name))


def load_data():
    """Reviews (n, 150) and class labels; PyTorch wants both as int64."""
    return tuple(array.astype(np.int64) for array in imdb_for_library())


class GRUClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(params.vocabulary, params.embedding)
        self.gru = nn.GRU(params.embedding, params.units, batch_first=True)
        self.fc = nn.Linear(params.units, params.classes)

    def forward(self, words):
        outputs, _ = self.gru(self.embedding(words))
        return self.fc(outputs[:, -1])


def create_symbol():
    return GRUClassifier()


def init_model(symbol):
    np.random.seed(params.seed)
    torch.manual_seed(params.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    nn.init.uniform_(symbol.embedding.weight, -params.embedding_bound, params.embedding_bound)
    for weight in (symbol.gru.weight_ih_l0, symbol.gru.weight_hh_l0, symbol.fc.weight):
        nn.init.xavier_uniform_(weight)
    for bias in (symbol.gru.bias_ih_l0, symbol.gru.bias_hh_l0, symbol.fc.bias):
        nn.init.zeros_(bias)
    symbol.to(device)
    betas = (params.beta1, params.beta2)
    optimizer = torch.optim.Adam(symbol.parameters(), lr=params.learning_rate, betas=betas, eps=params.epsilon)
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


def train_with_loader(model, x, y):
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    return train_epoch(model, model.network, DataLoader(dataset, params.batch_size, shuffle=True, drop_last=True))


@torch.no_grad()
def predict(model, x):
    model.network.eval()
    batches = torch.from_numpy(x).split(params.batch_size)
    return torch.cat([model.network(data.to(model.device)).cpu() for data in batches]).numpy()


def evaluate(model, x, y):
    return float(np.mean(predict(model, x).argmax(axis=1) == y))


def canonical(name):
    """A weight's name without the number of its layer; gate order r, z, n is the canonical one."""
    return {"embedding.weight": "embedding"}.get(name, name.replace("_l0", ""))


def export_weights(model):
    return {canonical(name): weight.cpu().numpy().copy() for name, weight in model.network.state_dict().items()}


def import_weights(model, weights):
    names = model.network.state_dict()
    model.network.load_state_dict({name: torch.from_numpy(weights[canonical(name)]) for name in names})


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    symbol = create_symbol()
    model = init_model(symbol)
    for epoch in range(params.epochs):
        print(f"epoch {epoch + 1}: loss {train(model, x_train, y_train):.4f}")
    scores = predict(model, x_test)
    print(f"accuracy: {evaluate(model, x_test, y_test):.4f}")
