"""Decodes an encoded update as docs/protocol.md says, with Python's standard library alone: prints one number per coordinate.

    python3 decode_update.py MESSAGE-FILE
"""
import math
import struct
import sys

MASK = (1 << 64) - 1


class Bits:
    """A stream of bits; each byte is read from its least significant bit."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bit(self):
        value = self.data[self.at >> 3] >> (self.at & 7) & 1
        self.at += 1
        return value

    def number(self, count):
        return sum(self.bit() << i for i in range(count))

    def end(self):
        assert len(self.data) == (self.at + 7) // 8, "there are bytes behind the last code"
        while self.at < 8 * len(self.data):
            assert self.bit() == 0, "there are bits behind the last code"


def values_of(kind, data):
    if kind == 2:  # BF16: the upper half of an F32
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]
    letter = {1: "e", 3: "f", 4: "d"}[kind]
    return list(struct.unpack(f"<{len(data) // struct.calcsize(letter)}{letter}", data))


def rice(bits, count, parameter):
    """Ascending indices from the Rice codes of their gaps."""
    indices, following = [], 0
    for _ in range(count):
        high = 0
        while bits.bit():
            high += 1
        index = following + (high << parameter | bits.number(parameter))
        indices.append(index)
        following = index + 1
    return indices


def omega(bits):
    """An Elias omega code: groups with their most significant bit first."""
    value = 1
    while bits.bit():
        group = 1
        for _ in range(value):
            group = group << 1 | bits.bit()
        value = group
    return value


class Xoshiro:
    """xoshiro256**, seeded by SplitMix64."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & MASK
            z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
            self.s.append(z ^ z >> 31)

    def next(self):
        def rotate(x, k):
            return (x << k | x >> 64 - k) & MASK
        s = self.s
        result = rotate(s[1] * 5 & MASK, 7) * 9 & MASK
        t = s[1] << 17 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        return result

    def below(self, limit):
        """Uniform on 0 … limit − 1: the high half of a 128-bit product, drawn again while the low half is too small."""
        product = self.next() * limit
        if product & MASK < limit:
            threshold = ((1 << 64) - limit) % limit
            while product & MASK < threshold:
                product = self.next() * limit
        return product >> 64


def floyd(seed, d, k):
    random, taken = Xoshiro(seed), set()
    for j in range(d - k, d):
        t = random.below(j + 1)
        taken.add(j if t in taken else t)
    return sorted(taken)


def decode(message):
    magic, version, codec, kind, parameter, d = struct.unpack_from("<4sBBBBI", message)
    assert magic == b"FUPD" and version == 1, "no encoded update"
    body, width = message[12:], {1: 2, 2: 2, 3: 4, 4: 8}[kind]
    result = [0.0] * d
    if codec == 1:
        result = values_of(kind, body)
        assert len(result) == d
    elif codec in (2, 3):
        at = 8 if codec == 3 else 0
        k = struct.unpack_from("<I", body, at)[0]
        values = values_of(kind, body[at + 4:at + 4 + k * width])
        if codec == 2:
            bits = Bits(body[4 + k * width:])
            indices = rice(bits, k, parameter)
            bits.end()
        else:
            indices = floyd(struct.unpack_from("<Q", body)[0], d, k)
        for index, value in zip(indices, values):
            result[index] = value
    elif codec in (4, 5, 6):
        bucket = struct.unpack_from("<I", body)[0]
        buckets = (d + bucket - 1) // bucket
        scales = values_of(kind, body[4:4 + buckets * width])
        rest = body[4 + buckets * width:]
        levels = parameter if codec != 6 else 0.5 if parameter == 1 else 2 ** (parameter - 1) - 1
        if codec == 5:
            count, bits, index = struct.unpack_from("<I", rest)[0], Bits(rest[4:]), -1
            for _ in range(count):
                index += omega(bits)
                sign = -1 if bits.bit() else 1
                result[index] = sign * omega(bits) * scales[index // bucket] / levels
            bits.end()
        else:
            bits, code = Bits(rest), int(2 * levels).bit_length()
            for j in range(d):
                result[j] = (bits.number(code) - levels) * scales[j // bucket] / levels
            bits.end()
    else:
        raise ValueError(f"codec {codec} is not known")
    assert all(map(math.isfinite, result))
    return result


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print("\n".join(repr(value) for value in decode(file.read())))
