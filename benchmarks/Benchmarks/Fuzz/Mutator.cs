using System.Buffers.Binary;
using Federated.Aggregation.Randomness;

namespace Federated.Benchmarks.Fuzz;

/// <summary>Makes new inputs of known ones: flips, truncations, splices, repetitions, and numbers at the edge of their range.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> corpus)
{
    private const int MaxLength = 4096;

    private static readonly byte[][] Words =
    [
        "null"u8.ToArray(), "true"u8.ToArray(), "-1"u8.ToArray(), "1e999"u8.ToArray(), "NaN"u8.ToArray(), "\"\\ud800\""u8.ToArray(), "{"u8.ToArray(), "["u8.ToArray(), "}"u8.ToArray(),
        "9223372036854775808"u8.ToArray(), "[[[[[[[[[[[[[[[["u8.ToArray(), "{\"a\":{\"a\":{\"a\":"u8.ToArray(), "."u8.ToArray(), "="u8.ToArray(), "\0"u8.ToArray(), "../"u8.ToArray(),
    ];

    private static readonly long[] Edges = [0, 1, -1, 127, 128, 255, 256, 65535, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40];

    public byte[] Next(SeededRandom random)
    {
        var input = (byte[])corpus[random.NextInt(2) == 0 ? 0 : random.NextInt(corpus.Count)].Clone(); // The first is the plainest.
        for (var changes = random.NextInt(5); changes > 0 && input.Length > 0; changes--)
        {
            var at = random.NextInt(input.Length);
            switch (random.NextInt(9))
            {
                case 0:
                    input[at] ^= (byte)(1 << random.NextInt(8));
                    break;
                case 1:
                    input[at] = (byte)random.NextInt(256);
                    break;
                case 2:
                    input = input[..at];
                    break;
                case 3:
                    input = input[at..];
                    break;
                case 4:
                    input = Splice(input, at, Words[random.NextInt(Words.Length)], 0);
                    break;
                case 5:
                    var word = Words[random.NextInt(Words.Length)];
                    input = Splice(input, at, word, Math.Min(word.Length, input.Length - at));
                    break;
                case 6:
                    var other = corpus[random.NextInt(corpus.Count)];
                    input = Splice(input, at, other[random.NextInt(other.Length)..], input.Length - at);
                    break;
                case 7:
                    var length = Math.Min(random.NextInt(64), input.Length - at);
                    input = Splice(input, at, input[at..(at + length)], 0);
                    break;
                default:
                    PutEdge(input, at, Edges[random.NextInt(Edges.Length)], random.NextInt(3));
                    break;
            }
        }

        return input.Length <= MaxLength ? input : input[..MaxLength];
    }

    private static byte[] Splice(byte[] input, int at, byte[] with, int over) => [.. input[..at], .. with, .. input[(at + over)..]];

    private static void PutEdge(byte[] input, int at, long value, int width)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        bytes[..Math.Min(2 << width, input.Length - at)].CopyTo(input.AsSpan(at));
    }
}
