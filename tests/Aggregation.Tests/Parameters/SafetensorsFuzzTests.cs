using System.Text;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Parameters;

/// <summary>Random damage to valid files: the reader answers with values or with an AggregationException, and stays small.</summary>
public class SafetensorsFuzzTests
{
    private const int Cases = 5_000;

    private static readonly string[] Fragments =
        ["-1", "9223372036854775807", "18446744073709551616", "1e9", "null", "{}", "[", "]", "}", "\"", ",", ":", "\"dtype\"", "F64", "BF16", "\\u0000", "\uFEFF"];

    [Fact]
    public void Damage_never_gives_anything_but_a_refusal_or_values()
    {
        var random = SeededRandom.Derive(7, "safetensors-fuzz");
        var originals = Enum.GetValues<ElementType>().Select(SafetensorsTests.Written).ToArray();
        var (refused, read) = (0, 0);
        for (var i = 0; i < Cases; i++)
        {
            var file = Damage(originals[random.NextInt(originals.Length)], random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using Stream stream = random.NextInt(2) == 0 ? new MemoryStream(file) : new SafetensorsTests.Pipe(file, 1 + random.NextInt(50));
                var reader = SafetensorsReader.Open(stream);
                var layout = reader.Header.ToLayout();

                // A stream of unknown length may announce what it likes; a caller allocates for the layout that it knows.
                if (layout.Count <= 1 << 16)
                {
                    reader.Read<float>(layout, new float[layout.Count]);
                }

                read++;
            }
            catch (AggregationException)
            {
                refused++;
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 8 << 20, $"case {i} allocated {allocated} bytes for a file of {file.Length}");
        }

        // Both answers must really occur, or the damage is too mild or too harsh to test anything.
        Assert.True(refused > Cases / 2, $"{refused} refused");
        Assert.True(read > Cases / 50, $"{read} read");
    }

    private static byte[] Damage(byte[] original, SeededRandom random)
    {
        var bytes = original.ToList();
        for (var edits = 1 + random.NextInt(3); edits > 0; edits--)
        {
            var at = random.NextInt(bytes.Count);
            switch (random.NextInt(6))
            {
                case 0:
                    bytes[at] = (byte)random.NextInt(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.NextInt(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(1 + random.NextInt(16), bytes.Count - at - 1));
                    break;
                case 3:
                    // Replaces within the header, keeping its length field honest half of the time.
                    var fragment = Encoding.UTF8.GetBytes(Fragments[random.NextInt(Fragments.Length)]);
                    at = Math.Min(8 + random.NextInt(300), bytes.Count);
                    bytes.InsertRange(at, fragment);
                    if (random.NextInt(2) == 0)
                    {
                        var length = BitConverter.ToInt64(bytes.Take(8).ToArray()) + fragment.Length;
                        bytes.RemoveRange(0, 8);
                        bytes.InsertRange(0, BitConverter.GetBytes(length));
                    }

                    break;
                case 4:
                    var digit = bytes.FindIndex(Math.Min(at, bytes.Count - 1), b => b is >= (byte)'0' and <= (byte)'9');
                    if (digit >= 0)
                    {
                        bytes[digit] = (byte)('0' + random.NextInt(10));
                    }

                    break;
                default:
                    bytes.InsertRange(at, bytes.Skip(random.NextInt(bytes.Count)).Take(random.NextInt(64)).ToArray());
                    break;
            }
        }

        return [.. bytes];
    }
}
