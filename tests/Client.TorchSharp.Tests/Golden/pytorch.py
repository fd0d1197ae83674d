"""PyTorch's side of the exchange of files, with torch alone (safetensors is written and read by hand here).

  python3 pytorch.py make FOLDER       state dicts of PyTorch modules, an input each, and what PyTorch makes of it
  python3 pytorch.py check FOLDER      loads NAME.ours.safetensors, strictly, and compares with NAME.ours-io.safetensors

The files in this folder were made by `make` with PyTorch 1.13.1.
"""
import json
import math
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(24, 10), nn.Linear(10, 4)

    def forward(self, x):
        for conv in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, groups):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(groups, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(groups, outputs)
        self.downsample = None if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.GroupNorm(groups, outputs))

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.GroupNorm(2, 4)
        self.layer1, self.layer2 = nn.Sequential(Block(4, 4, 1, 2)), nn.Sequential(Block(4, 8, 2, 2))
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.layer2(self.layer1(F.relu(self.norm1(self.conv1(x))))).mean((2, 3)))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm, self.fc = nn.Embedding(7, 5), nn.LSTM(5, 6, 2, batch_first=True), nn.Linear(6, 7)

    def forward(self, x):
        return self.fc(self.lstm(self.embedding(x))[0][:, -1])


class AdaptedLinear(nn.Linear):
    """loralib's names."""

    def __init__(self, inputs, outputs, rank=2, scale=3):
        super().__init__(inputs, outputs)
        self.factor = scale / rank
        self.lora_A, self.lora_B = nn.Parameter(torch.randn(rank, inputs)), nn.Parameter(torch.randn(outputs, rank))

    def forward(self, x):
        return super().forward(x) + F.linear(F.linear(x, self.lora_A), self.lora_B) * self.factor


class TransformerBlock(nn.Module):
    def __init__(self, width, heads, linear):
        super().__init__()
        self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.mix = (linear(width, width) for _ in range(4))
        self.expand, self.contract = linear(width, 4 * width), linear(4 * width, width)

    def forward(self, x):
        n, length, width = x.shape
        split = lambda y: y.view(n, length, self.heads, width // self.heads).transpose(1, 2)
        z = self.norm1(x)
        q, k, v = split(self.query(z)), split(self.key(z)), split(self.value(z))
        scores = (q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)).masked_fill(torch.ones(length, length).triu(1).bool(), -math.inf)
        x = x + self.mix((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width))
        return x + self.contract(F.gelu(self.expand(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.embedding, self.positions = nn.Embedding(7, 8), nn.Embedding(5, 8)
        self.blocks = nn.Sequential(*(TransformerBlock(8, 2, linear) for _ in range(2)))
        self.norm, self.fc = nn.LayerNorm(8), nn.Linear(8, 7)

    def forward(self, x):
        return self.fc(self.norm(self.blocks(self.embedding(x) + self.positions(torch.arange(x.shape[1]))))[:, -1])


def image():
    return torch.randn(3, 1, 8, 8)


def text():
    return torch.randint(0, 7, (3, 5))


MODULES = {
    "cnn": (Stack, image),
    "resnet": (Residual, image),
    "lstm": (Lstm, text),
    "transformer": (lambda: Transformer(nn.Linear), text),
    "adapters": (lambda: Transformer(AdaptedLinear), text),
}


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = bytes(tensor.detach().float().contiguous().numpy().tobytes())
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data, dtype=torch.float32, offset=entry["data_offsets"][0], count=math.prod(entry["shape"])).reshape(entry["shape"])
        for name, entry in header.items()
    }


def make(folder):
    for name, (create, draw) in MODULES.items():
        torch.manual_seed(17)
        module, given = create(), draw()
        with torch.no_grad():
            write(f"{folder}/{name}.safetensors", module.state_dict())
            write(f"{folder}/{name}-io.safetensors", {"input": given, "output": module(given)})


def check(folder):
    for name, (create, _) in MODULES.items():
        module, pair = create(), read(f"{folder}/{name}.ours-io.safetensors")
        module.load_state_dict(read(f"{folder}/{name}.ours.safetensors"), strict=True)
        given = pair["input"].long() if name in ("lstm", "transformer", "adapters") else pair["input"]
        with torch.no_grad():
            apart = (module(given) - pair["output"]).abs().max().item()
        print(f"{name}: {apart:.2e} apart")
        if not apart < 1e-5:
            sys.exit(f"{name}: PyTorch makes something else of our file.")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
