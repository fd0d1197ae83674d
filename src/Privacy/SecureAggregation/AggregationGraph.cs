using Federated.Privacy.Numerics;

namespace Federated.Privacy.SecureAggregation;

/// <summary>What a server is trusted with in secure aggregation over a sparse graph.</summary>
public enum AggregationServer
{
    /// <summary>It follows the protocol, and looks at everything.</summary>
    SemiHonest,

    /// <summary>It follows the protocol but for who it says dropped out, and may say so differently to different clients.</summary>
    SemiMalicious,
}

/// <summary>A random k-regular graph of masks and shares, with its threshold.</summary>
/// <param name="Degree">k, neighbours of a client.</param>
/// <param name="Threshold">t, shares that give a secret back.</param>
public readonly record struct AggregationGraph(int Degree, int Threshold)
{
    private const double SecurityBits = 40;
    private const double CorrectnessBits = 20;

    /// <summary>
    /// The smallest degree at which a random circulant graph keeps every client's secrets from the corrupted ones and the honest survivors connected, except
    /// with probability 2⁻⁴⁰, and recovers every secret, except with probability 2⁻²⁰; null where only the complete graph does.
    /// </summary>
    /// <remarks>
    /// Bell, Bonawitz, Gascón, Lepoint, Raykova, "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead", CCS 2020,
    /// https://eprint.iacr.org/2020/704; criteria as in google/federated-compute's parameter finder. A = ⌊γn⌋ corrupted, D = ⌊δn⌋ dropped.
    /// <code>
    /// secrecy       n·Pr[Hyp(n, A, k) ≥ t₁] ≤ 2⁻⁴¹            t = t₁, or ⌈(t₁ + k)/2⌉ against two stories
    /// connectivity  n(n − k − 1)/2 · C(A + D, k)/C(n, k) ≤ 2⁻⁴¹
    /// recovery      n·Pr[Hyp(n, D, k) ≥ k − t + 1] ≤ 2⁻²⁰
    /// </code>
    /// Cost: O(k²) sums of k terms.
    /// </remarks>
    /// <param name="clients">n.</param>
    /// <param name="corrupted">γ, share of clients that collude with the server.</param>
    /// <param name="dropout">δ, share that may drop out.</param>
    /// <param name="server">What the server may do.</param>
    public static AggregationGraph? Find(int clients, double corrupted, double dropout, AggregationServer server)
    {
        if (clients < 2 || !(corrupted is >= 0 and < 1) || !(dropout is >= 0 and < 1) || corrupted + dropout >= 1)
        {
            throw new PrivacyException(
                $"A graph needs 2 clients or more, and shares of corrupted and dropped ones that leave somebody; they are {clients}, {corrupted} and {dropout}.");
        }

        // ⌊γn⌋ in real arithmetic: 0.07·100 is 7, whatever its double says.
        var (bad, lost) = ((int)((clients * corrupted) + 1e-9), (int)((clients * dropout) + 1e-9));
        var security = Math.ScaleB(1, -(int)SecurityBits - 1);
        var logConnected = Math.Log(security);
        for (var degree = 2; degree < clients - 1; degree += 2)
        {
            if (bad + lost >= degree
                && Math.Log(clients * (clients - degree - 1.0) / 2) + GammaFunction.LogBinomial(bad + lost, degree) - GammaFunction.LogBinomial(clients, degree) > logConnected)
            {
                continue;
            }

            var threshold = Secret(clients, bad, degree, security / clients);
            if (server == AggregationServer.SemiMalicious)
            {
                threshold = (threshold + degree + 1) / 2;
            }

            if (threshold <= degree && Tail(clients, lost, degree, degree - threshold + 1) <= Math.ScaleB(1, -(int)CorrectnessBits) / clients)
            {
                return new AggregationGraph(degree, Math.Max(2, threshold));
            }
        }

        return null;
    }

    /// <summary>The smallest number of shares that the corrupted neighbours have with at most the given probability.</summary>
    private static int Secret(int clients, int bad, int degree, double probability)
    {
        var (low, high) = (0, degree + 1);
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            (low, high) = Tail(clients, bad, degree, middle) <= probability ? (low, middle) : (middle, high);
        }

        return high;
    }

    /// <summary>Pr[X ≥ least], X the marked among <paramref name="drawn"/> of n without replacement.</summary>
    internal static double Tail(int population, int marked, int drawn, int least)
    {
        var all = GammaFunction.LogBinomial(population, drawn);
        var sum = 0.0;
        for (var x = Math.Max(0, least); x <= Math.Min(marked, drawn); x++)
        {
            if (drawn - x <= population - marked)
            {
                sum += Math.Exp(GammaFunction.LogBinomial(marked, x) + GammaFunction.LogBinomial(population - marked, drawn - x) - all);
            }
        }

        return sum;
    }
}
