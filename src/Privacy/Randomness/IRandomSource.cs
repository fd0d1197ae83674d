namespace Federated.Privacy.Randomness;

/// <summary>
/// The randomness that privacy rests on, passed in by whoever owns the process: <see cref="CryptographicRandom"/> in production,
/// <see cref="SimulationRandom"/> where a run must be reproducible and no guarantee is printed.
/// </summary>
/// <remarks>Not thread-safe. Parallel work takes one stream per block from <see cref="RandomStreams"/>.</remarks>
public interface IRandomSource
{
    /// <summary>True when the stream is unpredictable to everyone; a guarantee may be claimed only then.</summary>
    bool IsCryptographic { get; }

    /// <summary>One phrase for reports: where the bits come from and what they are good for.</summary>
    string Description { get; }

    /// <summary>Overwrites <paramref name="destination"/> with independent uniform bytes.</summary>
    void Fill(Span<byte> destination);

    /// <summary>64 independent uniform bits.</summary>
    ulong NextUInt64();
}
