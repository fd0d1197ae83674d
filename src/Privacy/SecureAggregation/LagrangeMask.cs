using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation;

/// <summary>
/// Masks whose sum is recovered in one step from any U of N clients, whoever dropped out: each client's mask is coded into a share for every client, and
/// sums of shares are shares of the sum. Any T shares say nothing about the mask.
/// </summary>
/// <remarks>
/// So et al., "LightSecAgg: a Lightweight and Versatile Design for Secure Aggregation in Federated Learning", MLSys 2022,
/// https://arxiv.org/abs/2109.14236, over GF(2³¹ − 1): the mask in U − T pieces and T random ones are the values of a polynomial at 1 … U; client j's share is
/// its value at U + j. Cost: a share has d/(U − T) elements; encoding is O(U·d/(U − T)) a client, recovery O(U·d) for the server.
/// </remarks>
public sealed class LagrangeMask
{
    private readonly int pieces;
    private readonly ulong[] sources;

    /// <param name="clients">N.</param>
    /// <param name="privacy">T: clients that may pool what they hold.</param>
    /// <param name="responses">U: answers that recovery needs.</param>
    public LagrangeMask(int clients, int privacy, int responses)
    {
        if (privacy < 1 || responses <= privacy || clients < responses)
        {
            throw new PrivacyException($"Coded masks need 1 ≤ T < U ≤ N; they are {privacy}, {responses} and {clients}.");
        }

        (Clients, Responses, pieces) = (clients, responses, responses - privacy);
        sources = [.. Enumerable.Range(1, responses).Select(i => (ulong)i)];
    }

    /// <summary>2³¹ − 1: vectors are summed modulo it.</summary>
    public static uint Modulus => (uint)MersenneField.Small.Prime;

    public int Clients { get; }

    /// <summary>U.</summary>
    public int Responses { get; }

    /// <summary>Elements of a share of a mask of d elements.</summary>
    public int ShareLength(int dimension) => (dimension + pieces - 1) / pieces;

    /// <summary>The share of every client, 0 … N − 1.</summary>
    /// <param name="mask">d elements, uniform below the modulus.</param>
    /// <param name="random">Cryptographic.</param>
    public uint[][] Encode(ReadOnlySpan<uint> mask, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var length = ShareLength(mask.Length);
        var noise = new uint[(Responses - pieces) * length];
        foreach (ref var x in noise.AsSpan())
        {
            x = (uint)random.NextBelow((ulong)Modulus);
        }

        var shares = new uint[Clients][];
        for (var client = 0; client < Clients; client++)
        {
            shares[client] = Encode(mask, noise, client);
        }

        Array.Clear(noise);
        return shares;
    }

    /// <summary>One client's share, with the random pieces given one after the other.</summary>
    internal uint[] Encode(ReadOnlySpan<uint> mask, ReadOnlySpan<uint> noise, int client)
    {
        var length = ShareLength(mask.Length);
        var basis = Basis(client);
        var share = new uint[length];
        for (var k = 0; k < length; k++)
        {
            var value = 0UL;
            for (var i = 0; i < Responses; i++)
            {
                var at = (i * length) + k;
                var piece = i >= pieces ? noise[((i - pieces) * length) + k] : at < mask.Length ? mask[at] : 0;
                value = MersenneField.Small.Add(value, MersenneField.Small.Multiply(basis[i], piece));
            }

            share[k] = (uint)value;
        }

        return share;
    }

    /// <summary>The sum of masks, from U clients' sums of the shares that they hold.</summary>
    /// <param name="clients">Who answered: U different clients.</param>
    /// <param name="sums">Their sums modulo the modulus, a row each.</param>
    /// <param name="sum">d elements; overwritten.</param>
    public void Decode(ReadOnlySpan<int> clients, IReadOnlyList<uint[]> sums, Span<uint> sum)
    {
        ArgumentNullException.ThrowIfNull(sums);
        var length = ShareLength(sum.Length);
        if (clients.Length != Responses || sums.Count != Responses || sums.Any(s => s.Length != length))
        {
            throw new PrivacyException($"Recovery needs {Responses} answers of {length} elements; there are {clients.Length} clients and {sums.Count} answers.");
        }

        var points = new ulong[Responses];
        for (var i = 0; i < points.Length; i++)
        {
            points[i] = (ulong)(Responses + 1 + clients[i]);
        }

        for (var piece = 0; piece < pieces; piece++)
        {
            var coefficients = MersenneField.Small.Lagrange(points, sources[piece]);
            for (var k = 0; k < length && (piece * length) + k < sum.Length; k++)
            {
                var value = 0UL;
                for (var i = 0; i < Responses; i++)
                {
                    value = MersenneField.Small.Add(value, MersenneField.Small.Multiply(coefficients[i], sums[i][k]));
                }

                sum[(piece * length) + k] = (uint)value;
            }
        }
    }

    /// <summary>Lagrange's basis of the sources at a client's point.</summary>
    internal ulong[] Basis(int client) => MersenneField.Small.Lagrange(sources, (ulong)(Responses + 1 + client));
}
