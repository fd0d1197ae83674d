using System.Buffers.Binary;
using Federated.Aggregation.Randomness;

namespace Federated.Privacy.Randomness;

/// <summary>
/// A reproducible source for simulation and tests: the same seed gives the same noise on every machine. It protects nobody, since
/// whoever knows the seed can subtract the noise; a report made with it says so.
/// </summary>
public sealed class SimulationRandom : IRandomSource, IDisposable
{
    private readonly AesCounterStream stream;

    public SimulationRandom(ulong seed)
    {
        var expand = new SeededRandom(seed);
        Span<byte> key = stackalloc byte[AesCounterStream.KeyBytes];
        for (var i = 0; i < key.Length; i += sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(key[i..], expand.NextUInt64());
        }

        stream = new AesCounterStream(key, nonce: 0);
    }

    public bool IsCryptographic => false;

    public string Description => "seeded simulation: reproducible, protects nobody";

    /// <summary>The source of the stream that <paramref name="label"/> and the indices name; independent of every other name's.</summary>
    public static SimulationRandom Derive(ulong seed, string label, params ReadOnlySpan<long> indices) =>
        new(SeededRandom.DeriveSeed(seed, label, indices));

    public void Fill(Span<byte> destination) => stream.Fill(destination);

    public ulong NextUInt64() => stream.NextUInt64();

    public void Dispose() => stream.Dispose();
}
