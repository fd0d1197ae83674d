"""Opens model.safetensors with nothing but Python's standard library and evaluates it on LEAF examples: read_model.py MODEL TEST"""
import json
import math
import struct
import sys


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            assert entry["dtype"] == "F32" and end - begin == 4 * math.prod(entry["shape"]) and end <= len(content), name
            tensors[name] = entry["shape"], struct.unpack(f"<{(end - begin) // 4}f", content[begin:end])
    return tensors


def logits(tensors, x):
    """Fully connected layers as PyTorch keeps them: weight is outputs × inputs, row-major; ReLU between."""
    layers = sorted({name.split(".")[0] for name in tensors})
    for layer in layers:
        (outputs, inputs), weight = tensors[layer + ".weight"]
        _, bias = tensors[layer + ".bias"]
        x = [bias[o] + sum(weight[o * inputs + i] * x[i] for i in range(inputs)) for o in range(outputs)]
        if layer != layers[-1]:
            x = [max(value, 0.0) for value in x]
    return x


tensors = read(sys.argv[1])
with open(sys.argv[2]) as file:
    examples = [pair for user in json.load(file)["user_data"].values() for pair in zip(user["x"], user["y"])]
right, loss = 0, 0.0
for x, y in examples:
    z = logits(tensors, x)
    right += z.index(max(z)) == y
    loss += max(z) + math.log(sum(math.exp(value - max(z)) for value in z)) - z[y]
print(json.dumps({
    "shapes": {name: shape for name, (shape, _) in tensors.items()},
    "accuracy": right / len(examples),
    "loss": loss / len(examples),
}))
