using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle;

/// <summary>
/// Split and mix: each client sends its number as m additive shares modulo 2^k; once shuffled, the shares reveal the sum and, up to a
/// statistical distance of 2^−s, nothing else. It hides the summands; it adds no noise: give each client a share of it.
/// </summary>
/// <remarks>
/// Ishai, Kushilevitz, Ostrovsky, Sahai, "Cryptography from Anonymity", FOCS 2006; Balle, Bell, Gascón, Nissim, "Private Summation in
/// the Multi-Message Shuffle Model", CCS 2020, https://arxiv.org/abs/2002.00817:
/// m = ⌈(2s + log₂ q)/(log₂ n − log₂ e) + 1⌉ for n ≥ 19 clients. Deviation: a vector's coordinates are shared one by one, each share carrying its
/// coordinate, with s raised by log₂ d (a union bound): sharing vectors whole would put d·log₂ q into the formula. Cost: m·d messages.
/// A client that drops out after part of its shares makes the sum useless: uploads must be atomic.
/// </remarks>
public sealed class SplitAndMix
{
    private const int FewestClients = 19;
    private readonly ulong mask;

    /// <param name="modulusBits">k, of the modulus 2^k that sums are taken in.</param>
    /// <param name="clients">n, the honest clients certainly in the batch; at least 19.</param>
    /// <param name="dimension">d.</param>
    /// <param name="securityBits">s.</param>
    public SplitAndMix(int modulusBits, int clients, int dimension = 1, int securityBits = 40)
    {
        if (modulusBits is < 1 or > 64 || dimension < 1 || securityBits < 1)
        {
            throw new PrivacyException($"Split and mix needs a modulus of 1 to 64 bits, a dimension and security bits of 1 or more; they are {modulusBits}, {dimension}, {securityBits}.");
        }

        if (clients < FewestClients)
        {
            throw new PrivacyException($"Split and mix needs at least {FewestClients} clients in a batch, below which its security is not proven; there are {clients}.");
        }

        (ModulusBits, Clients, Dimension) = (modulusBits, clients, dimension);
        mask = modulusBits == 64 ? ulong.MaxValue : (1UL << modulusBits) - 1;
        var security = securityBits + Math.Log2(dimension);
        Shares = (int)Math.Ceiling((((2 * security) + modulusBits) / (Math.Log2(clients) - Math.Log2(Math.E))) + 1);
    }

    /// <summary>k.</summary>
    public int ModulusBits { get; }

    /// <summary>n.</summary>
    public int Clients { get; }

    /// <summary>d.</summary>
    public int Dimension { get; }

    /// <summary>m: shares of each coordinate.</summary>
    public int Shares { get; }

    /// <summary>Splits one integer: any m − 1 of the shares are uniform and independent of it.</summary>
    /// <param name="value">Any integer; taken modulo 2^k.</param>
    /// <param name="shares">m shares; overwritten.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public void Split(long value, Span<ulong> shares, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNotEqual(shares.Length, Shares, nameof(shares));
        var rest = (ulong)value;
        for (var i = 0; i < shares.Length - 1; i++)
        {
            shares[i] = random.NextUInt64() & mask;
            rest -= shares[i];
        }

        shares[^1] = rest & mask;
    }

    /// <summary>The sum of all shares of one coordinate, in [−2^(k−1), 2^(k−1)): right when the true sum lies there.</summary>
    public long Combine(IEnumerable<ulong> shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        ulong sum = 0;
        foreach (var share in shares)
        {
            sum += share;
        }

        // Sign extension of a k-bit number.
        return (long)((sum & mask) << (64 - ModulusBits)) >> (64 - ModulusBits);
    }
}
