using System.Collections.Immutable;
using Federated.Privacy.Accounting;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Shuffle;

/// <summary>
/// A running count in the shuffle model with k shufflers side by side: shuffler j sums batches of length n^((2j−1)/(2k+1)), so that every
/// prefix is a few long batches, some shorter ones, and a short tail not reported yet. Each client reports once to each shuffler, and its k
/// reports compose. Error falls with k as √k·n^(1/(2k+1)).
/// </summary>
/// <remarks>
/// Tenenbaum, Kaplan, Mansour, Stemmer, "Concurrent Shuffle Differential Privacy Under Continual Observation", ICML 2023,
/// https://arxiv.org/abs/2301.12535. Deviation: only the abstract's statement was at hand; the construction (geometric batch lengths, P_1D at one
/// level within a batch) is this project's (privacy.md §4.4), and its rate in n is the one stated there. The k reports of a client are composed
/// by their loss distributions in place of ε/k each, which saves a factor of √k in the noise.
/// Guarantee: composition over the k shufflers of binomial noise under a shift of 1; batches of one shuffler are disjoint.
/// A step's estimate leaves out the tail: at most n^(1/(2k+1)) counts late. Cost: k messages lists a client, O(k) memory.
/// </remarks>
public sealed class ConcurrentShufflersCounter
{
    private readonly ScalarSum[] protocols;
    private readonly IRandomSource random;
    private readonly long[] ones;
    private readonly double[] completed;
    private readonly int steps;

    /// <param name="steps">n, length of the stream: one client a step.</param>
    /// <param name="shufflers">k.</param>
    /// <param name="protocol">The sum within a batch of a given length.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    internal ConcurrentShufflersCounter(int steps, int shufflers, Func<int, ScalarSum> protocol, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        (this.steps, this.random) = (steps, random);
        BatchLengths = Lengths(steps, shufflers);
        protocols = [.. BatchLengths.Select(protocol)];
        ones = new long[shufflers];
        completed = new double[shufflers];
    }

    /// <summary>A counter that is (ε, δ)-private for one client's bit, replace-one, by all shufflers' outputs together.</summary>
    public static ConcurrentShufflersCounter ForGuarantee(int steps, int shufflers, double epsilon, double delta, IRandomSource random)
    {
        var accountant = new PldAccountant();
        var lengths = Lengths(steps, shufflers);

        // Fair bits in a batch: first as if all batches had just these, in which the Gaussian limit is off by a few per cent at most.
        bool Suffice(long fairBits) => accountant.Epsilon(Compose(lengths.Select(length => Protocol(length, fairBits))), delta) <= epsilon;
        var high = (long)Math.Ceiling(4 * shufflers * Math.Pow(AnalyticGaussian.NoiseMultiplier(epsilon, delta), 2));
        while (!Suffice(high))
        {
            high += 1 + (high / 50);
        }

        return new ConcurrentShufflersCounter(steps, shufflers, length => Protocol(length, high), random);

        // The variance of N fair bits is N/4, whatever the probability that gives it.
        static ScalarSum Protocol(int length, long fairBits) =>
            ScalarSum.ForNoise(1, length, fairBits, (bits, p) => bits * p * (1 - p) >= fairBits / 4.0);
    }

    /// <summary>What one client's reports reveal: the composition of its batches at all shufflers.</summary>
    public PrivacyEvent Event() => Compose(protocols);

    /// <summary>Batch length of each shuffler, shortest first.</summary>
    public ImmutableArray<int> BatchLengths { get; }

    /// <summary>Clients counted so far.</summary>
    public int Step { get; private set; }

    /// <summary>Counts one client's bit through all k shufflers, each with fresh randomness, and returns the estimate of the count so far.</summary>
    public double Add(bool bit)
    {
        if (Step == steps)
        {
            throw new PrivacyException($"The counter was planned for {steps} steps and all are used.");
        }

        Step++;
        for (var j = 0; j < protocols.Length; j++)
        {
            ones[j] += protocols[j].Randomize(bit ? 1 : 0, random);
            if (Step % BatchLengths[j] == 0)
            {
                completed[j] += protocols[j].Analyze(ones[j], BatchLengths[j]);
                ones[j] = 0;
                completed.AsSpan(0, j).Clear(); // the longer batch covers all shorter ones before it
            }
        }

        return completed.Sum();
    }

    private static ComposedEvent Compose(IEnumerable<ScalarSum> protocols) => new([.. protocols.Select(p => p.Event())]);

    private static ImmutableArray<int> Lengths(int steps, int shufflers)
    {
        if (steps < 2 || shufflers is < 1 or > 16)
        {
            throw new PrivacyException($"The counter needs a stream of 2 steps or more and 1 to 16 shufflers; they are {steps} and {shufflers}.");
        }

        var lengths = ImmutableArray.CreateBuilder<int>(shufflers);
        for (var j = 1; j <= shufflers; j++)
        {
            // Each length a multiple of the one before, so that batches nest.
            var wanted = Math.Pow(steps, ((2.0 * j) - 1) / ((2 * shufflers) + 1));
            var unit = j == 1 ? 1 : lengths[j - 2];
            lengths.Add(unit * Math.Max(1, (int)Math.Round(wanted / unit)));
        }

        return lengths.MoveToImmutable();
    }

    /// <summary>Variance of the noise in the estimate after a step (the delay of the tail not counted).</summary>
    public double Variance(int step)
    {
        var variance = 0.0;
        for (var j = protocols.Length - 1; j >= 0; j--)
        {
            var within = j == protocols.Length - 1 ? step : step % BatchLengths[j + 1];
            variance += within / BatchLengths[j] * protocols[j].NoiseVariance(BatchLengths[j]);
        }

        return variance;
    }
}
