#!/usr/bin/env python3
"""A client in another language: Python's standard library alone, written from docs/protocol.md.

    python3 federated_client.py URL RUN STATE.json READINGS.csv [ENROLMENT-TOKEN]

It trains softmax regression by plain SGD on a table whose last column is the class. What it leaves out of the protocol: codecs other than
safetensors, vectors beside the delta, and privacy steps other than clipping; a run that asks for them is told so, never half obeyed.
"""
import base64
import csv
import hashlib
import json
import math
import os
import random
import secrets
import struct
import sys
import time
import urllib.error
import urllib.request

ENVELOPE_LIMIT = 4 << 20


# ---- P-256 and ES256 -------------------------------------------------------------------------------------------------------------------
# Python's library has no elliptic curves. This is enough to sign; it takes no care against an attacker who can time the process.
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def add(a, b):
    """Adds two points of the curve; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def public_key(private):
    x, y = multiply(private, G)
    return SPKI_PREFIX + b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def sign(private, message):
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        k = secrets.randbelow(N - 1) + 1  # Never the same twice: two signatures with one k give the key away.
        r = multiply(k, G)[0] % N
        s = pow(k, -1, N) * (digest + r * private) % N
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ---- safetensors -----------------------------------------------------------------------------------------------------------------------
def read_safetensors(data):
    """Names, shapes and values, in the file's order."""
    length = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        if tensor["dtype"] != "F32":
            raise ValueError(f"tensor {name} is {tensor['dtype']}; this client reads F32")
        begin, end = tensor["data_offsets"]
        count = (end - begin) // 4
        tensors[name] = (tensor["shape"], list(struct.unpack_from(f"<{count}f", data, 8 + length + begin)))
    return tensors


def write_safetensors(tensors):
    header, body = {}, b""
    for name, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(packed)]}
        body += packed
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


# ---- the wire --------------------------------------------------------------------------------------------------------------------------
class Refused(Exception):
    """An answer that repeating will not mend."""

    def __init__(self, status, problem, headers):
        super().__init__(f"{problem.get('detail') or problem.get('title')} ({status} {problem.get('type', '')})")
        self.status, self.kind, self.headers = status, problem.get("type", "").rsplit("/", 1)[-1], headers


class Coordinator:
    def __init__(self, url, state_path, enrolment_token):
        self.url, self.state_path, self.enrolment_token, self.access = url.rstrip("/"), state_path, enrolment_token, None
        self.state = json.load(open(state_path)) if os.path.exists(state_path) else {}

    def request(self, method, path, body=None, content_type="application/json", headers=None, is_open=False):
        """Sends a request until there is an answer: for ever while the coordinator is away or busy."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        attempt = 0
        while True:
            sent = {"Federated-Protocol": "1", **(headers or {})}
            if data is not None:
                sent["Content-Type"] = content_type
            if not is_open:
                sent["Authorization"] = f"Bearer {self.token()}"
            wait = min(60, 2 ** attempt) * (0.5 + random.random() / 2)
            try:
                with urllib.request.urlopen(urllib.request.Request(self.url + path, data, sent, method=method), timeout=400) as answer:
                    return answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as e:
                text = e.read()
                problem = json.loads(text) if "problem+json" in e.headers.get("Content-Type", "") else {"title": e.reason}
                refused = Refused(e.code, problem, e.headers)
                if e.code == 401 and refused.kind == "token-expired" and not is_open:
                    self.access = None
                    continue
                if e.code not in (408, 425, 429, 500, 502, 503, 504):
                    raise refused from None
                wait = max(wait, float(e.headers.get("Retry-After", 0)))
                print(f"{refused}; again in {wait:.0f} s", flush=True)
            except OSError as e:
                print(f"{self.url} does not answer: {e}; again in {wait:.0f} s", flush=True)
            attempt += 1
            time.sleep(wait)

    def call(self, method, path, body=None, **rest):
        answer = self.request(method, path, body, **rest)[2]
        return json.loads(answer) if answer else None

    def save(self):
        """Whole or not at all, and for its owner alone: it holds the private key."""
        with open(os.open(self.state_path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.state_path + ".tmp", self.state_path)

    def enrol(self, name):
        if "client" in self.state:
            return
        if "key" not in self.state:
            self.state["key"] = str(secrets.randbelow(N - 1) + 1)
            self.save()  # Before it is sent: if the answer is lost, the same key gets the same answer again.
        reply = self.call("POST", "/v1/clients", {
            "token": self.enrolment_token, "publicKey": base64url(public_key(int(self.state["key"]))), "name": name}, is_open=True)
        self.state.update(client=reply["client"], coordinator=reply["coordinator"])
        self.save()

    def token(self):
        if self.access is None or time.monotonic() > self.renew_at:
            client, now = self.state["client"], int(time.time())
            header = {"alg": "ES256", "typ": "JWT", "kid": client}
            claims = {"iss": client, "sub": client, "aud": self.state["coordinator"], "iat": now, "exp": now + 120,
                      "jti": base64url(secrets.token_bytes(16))}
            signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
            assertion = f"{signed}.{base64url(sign(int(self.state['key']), signed.encode()))}"
            reply = self.call("POST", "/v1/tokens", {"assertion": assertion}, is_open=True)
            self.access, self.renew_at = reply["accessToken"], time.monotonic() + reply["secondsLeft"] * 0.8
        return self.access

    def blob(self, reference):
        data = self.request("GET", f"/v1/blobs/{reference['sha256']}")[2]
        if hashlib.sha256(data).hexdigest() != reference["sha256"]:
            raise ValueError("the blob has another digest than its name")
        return data

    def send(self, run, assignment, declaration, delta):
        """One request when it is small, else resumable pieces; the outcome."""
        path = f"/v1/runs/{run}/assignments/{assignment}/update"
        text = json.dumps(declaration).encode()
        if 4 + len(text) + len(delta) <= ENVELOPE_LIMIT:
            return self.call("POST", path, struct.pack("<I", len(text)) + text + delta, content_type="application/vnd.federated.update")
        while True:
            reply = self.call("POST", path, declaration)
            if reply.get("outcome"):
                return reply["outcome"]
            for location in reply["uploads"].values():
                self.upload(location, delta)

    def upload(self, location, data, piece=8 << 20):
        offset = int(self.request("HEAD", location)[1]["Upload-Offset"])
        while offset < len(data):
            try:
                headers = self.request("PATCH", location, data[offset:offset + piece], content_type="application/octet-stream",
                                       headers={"Upload-Offset": str(offset)})[1]
                offset = int(headers["Upload-Offset"])
            except Refused as refused:
                if refused.status != 409:
                    raise
                offset = int(refused.headers["Upload-Offset"])


# ---- training --------------------------------------------------------------------------------------------------------------------------
def softmax(weight, bias, row):
    scores = [b + sum(w * x for w, x in zip(weight[c * len(row):(c + 1) * len(row)], row)) for c, b in enumerate(bias)]
    exps = [math.exp(s - max(scores)) for s in scores]
    return [e / sum(exps) for e in exps]


def train(model, rows, labels, assignment):
    """Plain SGD from the model; the delta, the steps done and the mean loss."""
    plan = assignment["training"]
    if plan["model"]["kind"] != "softmax" or plan["optimizer"]["kind"] != "sgd" or plan["objective"]["kind"] != "none":
        raise NotImplementedError("this client trains softmax regression by plain SGD")
    (shape, weight), (bias_shape, bias) = model["fc.weight"], model["fc.bias"]
    weight, bias, n = weight[:], bias[:], len(rows)
    size = min(plan["batchSize"] or n, n)
    steps_per_epoch = math.ceil(n / size)
    steps = assignment["steps"] or max(1, math.ceil(assignment["epochs"] * steps_per_epoch))
    if not assignment["steps"] and not assignment["epochs"]:
        steps = steps_per_epoch  # The run leaves it to us.
    rate = plan["optimizer"]["learningRate"] * assignment["rateFactor"]
    draw, order, at, losses = random.Random(int(assignment["seed"])), list(range(n)), n, 0.0
    for _ in range(steps):
        if at >= n:
            draw.shuffle(order)
            at = 0
        batch = order[at:at + size]
        at += size
        weight_gradient, bias_gradient = [0.0] * len(weight), [0.0] * len(bias)
        for example in batch:
            row, probabilities = rows[example], softmax(weight, bias, rows[example])
            losses -= math.log(max(probabilities[labels[example]], 1e-30)) / len(batch)
            for c, probability in enumerate(probabilities):
                error = (probability - (c == labels[example])) / len(batch)
                bias_gradient[c] += error
                for f, x in enumerate(row):
                    weight_gradient[c * len(row) + f] += error * x
        weight = [w - rate * g for w, g in zip(weight, weight_gradient)]
        bias = [b - rate * g for b, g in zip(bias, bias_gradient)]
    delta = {"fc.weight": (shape, [after - before for after, before in zip(weight, model["fc.weight"][1])]),
             "fc.bias": (bias_shape, [after - before for after, before in zip(bias, model["fc.bias"][1])])}
    return delta, steps, losses / steps


def protect(delta, privacy):
    """Clips the delta to an L2 norm; whatever else a run asks for is refused."""
    if privacy is None:
        return delta
    if privacy["kind"] != "clip":
        raise NotImplementedError(f"this client cannot take the privacy step '{privacy['kind']}'")
    norm = math.sqrt(sum(v * v for _, values in delta.values() for v in values))
    factor = min(1.0, privacy["clipNorm"] / norm * (1 - 2 ** -22)) if norm > 0 else 1.0
    return {name: (shape, [v * factor for v in values]) for name, (shape, values) in delta.items()}


def work(coordinator, run, assignment, rows, labels):
    """One assignment; what the coordinator wants next, or None."""
    try:
        if assignment["codec"] != "safetensors" or assignment["extras"]:
            raise NotImplementedError("this client sends its delta as safetensors and nothing beside it")
        began = time.monotonic()
        model = read_safetensors(coordinator.blob(assignment["model"]))
        fetched = time.monotonic()
        delta, steps, loss = train(model, rows, labels, assignment)
        delta = write_safetensors(protect(delta, assignment.get("privacy")))
    except NotImplementedError as problem:
        coordinator.call("POST", f"/v1/runs/{run}/assignments/{assignment['id']}:fail", {"reason": str(problem)})
        raise
    declaration = {
        "delta": {"sha256": hashlib.sha256(delta).hexdigest(), "length": len(delta)}, "extras": {}, "examples": len(rows),
        "localSteps": steps, "stepWeight": steps, "downloadSeconds": fetched - began, "trainSeconds": time.monotonic() - fetched, "ready": True}
    if "privacy" not in assignment:
        declaration["trainingLoss"] = loss
    outcome = coordinator.send(run, assignment["id"], declaration, delta)
    verdict = "accepted" if outcome["accepted"] else f"refused: {outcome['reason']} {outcome['detail']}"
    print(f"assignment {assignment['id']} from version {assignment['baseVersion']}: {steps} steps, loss {loss:.4f}, {verdict}", flush=True)
    return outcome.get("next")


def standardised(rows):
    """Columns of mean 0 and deviation 1 by this device's own rows, as fed client's: otherwise the column with the largest unit rules all."""
    columns = []
    for column in zip(*rows):
        mean = sum(column) / len(column)
        deviation = math.sqrt(sum((x - mean) ** 2 for x in column) / len(column)) or 1.0
        columns.append([(x - mean) / deviation for x in column])
    return [list(row) for row in zip(*columns)]


def main(url, run, state_path, readings, enrolment_token=""):
    with open(readings, newline="") as file:
        table = list(csv.reader(file))[1:]
    rows, labels = standardised([[float(cell) for cell in row[:-1]] for row in table]), [int(row[-1]) for row in table]
    coordinator = Coordinator(url, state_path, enrolment_token)
    coordinator.enrol("python")
    reply = None
    while True:
        polled = reply is None or "wait" in reply
        if polled:
            reply = coordinator.call("POST", f"/v1/runs/{run}/check-ins", {"examples": len(rows), "waitSeconds": 60})
        if "over" in reply:
            print(f"the run is over at version {reply['over']['finalVersion']}: {reply['over']['reason']}")
            return
        if "assignment" in reply:
            try:
                reply = work(coordinator, run, reply["assignment"], rows, labels)
            except Refused as refused:
                if refused.status == 401:
                    raise
                print(f"given up: {refused}", flush=True)  # It has ended without us; the next check-in says what is wanted now.
                reply = None
                time.sleep(1)
        elif "wait" in reply:
            if polled:
                time.sleep(min(300, reply["wait"]["retryAfterSeconds"]))
        else:
            reply = None  # An evaluation: this client has nothing held out, and keeps out of it.


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        main(*sys.argv[1:])
    except (Refused, OSError, ValueError, NotImplementedError) as problem:
        sys.exit(f"federated_client: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
