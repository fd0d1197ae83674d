using System.Numerics.Tensors;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;

namespace Federated.Privacy.Bandits;

/// <summary>
/// The running sum of users' vectors, published after every batch with the noise of the trust model: (ε, δ)-private for one user's vector exchanged for
/// another, over all publications together. Broken by a user who comes twice, each visit counting on its own.
/// </summary>
/// <remarks>
/// The binary tree over fixed batches (<see cref="BatchTree"/>), L = ⌊log₂ T⌋ + 1:
/// <code>
/// central   N(0, (z·√L·√6)²) a coordinate and node, z the Gaussian multiplier of (ε, δ): the L nodes of a user are one Gaussian release
/// silo      the same noise by every silo on its own sums: M times the variance
/// shuffle   P_VEC at every level with fresh coins: the L nodes of a user are one vector of L·(d(d+1)/2 + d) coordinates that moves by √L·G, so that
///           the noise bits of a node are those of <see cref="ShuffledSum.VectorTrials"/> for that vector; shared by the node's users
/// </code>
/// Cost: O(L·d²) memory a silo; shuffled, L·d² draws a user.
/// </remarks>
public sealed class PrivateBatchSums
{
    private readonly LinearBanditOptions options;
    private readonly IRandomSource random;
    private readonly int length;
    private readonly double[][][] open;
    private readonly long[][] ones;
    private readonly long[] users;
    private readonly VectorSum[] shuffled;
    private readonly double[][] latest;
    private readonly double[] prefix;
    private readonly double[] one;

    public PrivateBatchSums(LinearBanditOptions options, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        if (options.Dimension < 1 || options.Silos < 1 || options.BatchUsers < 1 || options.Batches < 1)
        {
            throw new PrivacyException(
                $"Batch sums need features, silos, users and batches of 1 or more; they are {options.Dimension}, {options.Silos}, {options.BatchUsers}, {options.Batches}.");
        }

        (this.options, this.random) = (options, random);
        length = BanditStatistics.Length(options.Dimension);
        Levels = BatchTree.Levels(options.Batches);

        // Without noise of their own, the silos' sums are one.
        var separate = options.Trust == BanditTrust.Silo ? options.Silos : 1;
        open = [.. Enumerable.Range(0, separate).Select(_ => Vectors())];
        latest = Vectors();
        ones = [.. Enumerable.Range(0, Levels).Select(_ => new long[length])];
        users = new long[Levels];
        (prefix, one) = (new double[length], new double[length]);
        shuffled = [];
        switch (options.Trust)
        {
            case BanditTrust.Silo or BanditTrust.Central:
                NodeDeviation = AnalyticGaussian.NoiseMultiplier(options.Epsilon, options.Delta) * Math.Sqrt(Levels) * BanditStatistics.Sensitivity;
                break;
            case BanditTrust.Shuffle:
                var shift = VectorSum.IntegerSensitivityOf(length, options.ShuffleLevels);
                var trials = ShuffledSum.VectorTrials(length * Levels, shift * Math.Sqrt(Levels), options.Epsilon, options.Delta);
                shuffled = [.. Enumerable.Range(0, Levels).Select(h =>
                {
                    var clients = checked((int)((long)options.Silos * options.BatchUsers << h));
                    return new VectorSum(length, BanditStatistics.Bound, options.ShuffleLevels, checked((int)((trials + clients - 1) / clients)), clients);
                })];
                NodeDeviation = Math.Sqrt(shuffled.Select((sum, h) => sum.NoiseVariance(sum.MinimumClients) + RoundingVariance(h)).Max());
                break;
            default:
                break;
        }
    }

    /// <summary>L.</summary>
    public int Levels { get; }

    /// <summary>Batches published.</summary>
    public int Batch { get; private set; }

    /// <summary>Deviation of a coordinate's noise in one node of one silo (of all, where silos add none of their own); with P_VEC rounding included.</summary>
    public double NodeDeviation { get; }

    /// <summary>Deviation of a coordinate's noise in the sum published last.</summary>
    public double Deviation => NodeDeviation * Math.Sqrt((options.Trust == BanditTrust.Silo ? options.Silos : 1) * BatchTree.NodesOf(Batch));

    /// <summary>What is guaranteed to a user; null without noise.</summary>
    public PrivacyGuarantee? Guarantee => options.Trust == BanditTrust.None ? null : new()
    {
        Epsilon = options.Epsilon,
        Delta = options.Delta,
        Relation = NeighbourRelation.ReplaceOneParticipation,
        Trust = options.Trust switch { BanditTrust.Central => TrustModel.Central, BanditTrust.Shuffle => TrustModel.Shuffle, _ => TrustModel.Silo },
        Accountant = options.Trust == BanditTrust.Shuffle ? "binomial-shift" : "analytic-gaussian",
        Assumptions =
        [
            $"A user is in one batch of one silo; batches end after {options.BatchUsers} users a silo, whatever the data.",
            options.Trust switch
            {
                BanditTrust.Central => "The server sees all contexts and rewards and adds the noise.",
                BanditTrust.Shuffle => "A shuffler that does not collude releases whole nodes only, and all users of a node are honest.",
                _ => "A user's own silo sees its contexts and rewards and adds the noise; nobody else does.",
            },
        ],
    };

    /// <summary>Counts a user in the open batch.</summary>
    public void Add(int silo, ReadOnlySpan<double> features, double reward)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)silo, (uint)options.Silos, nameof(silo));
        if (Batch == options.Batches)
        {
            throw new PrivacyException($"The noise was planned for {options.Batches} batches and all are published: plan more.");
        }

        BanditStatistics.Write(features, reward, one);
        foreach (var h in BatchTree.Heights(Batch + 1, options.Batches))
        {
            if (options.Trust == BanditTrust.Shuffle)
            {
                users[h]++;
                shuffled[h].Randomize(one.AsSpan(), ones[h], random); // fresh coins at each level
            }
            else
            {
                var sum = open[options.Trust == BanditTrust.Silo ? silo : 0][h];
                TensorPrimitives.Add(sum, one, sum);
            }
        }
    }

    /// <summary>Ends the batch and publishes the sum of all users so far.</summary>
    public ReadOnlySpan<double> Publish()
    {
        Batch++;
        var completed = BatchTree.Completed(Batch);
        var node = latest[completed];
        node.AsSpan().Clear();
        if (options.Trust == BanditTrust.Shuffle)
        {
            shuffled[completed].Analyze(ones[completed], users[completed], node);
        }
        else
        {
            foreach (var silo in open)
            {
                TensorPrimitives.Add(node, silo[completed], node);
                if (NodeDeviation > 0)
                {
                    GaussianSampler.Add(node.AsSpan(), NodeDeviation, random, maxThreads: 1);
                }
            }
        }

        for (var h = 0; h < Levels && Batch % (1 << h) == 0; h++)
        {
            ones[h].AsSpan().Clear();
            users[h] = 0;
            foreach (var silo in open)
            {
                silo[h].AsSpan().Clear();
            }
        }

        prefix.AsSpan().Clear();
        for (var h = 0; h < Levels; h++)
        {
            if ((Batch >> h & 1) != 0)
            {
                TensorPrimitives.Add(prefix, latest[h], prefix);
            }
        }

        return prefix;
    }

    /// <summary>P_VEC rounds every user's coordinate to g levels: at most Δ²/g² each.</summary>
    private double RoundingVariance(int height) =>
        (double)((long)options.Silos * options.BatchUsers << height) * BanditStatistics.Bound * BanditStatistics.Bound / Math.Pow(options.ShuffleLevels, 2);

    private double[][] Vectors() => [.. Enumerable.Range(0, Levels).Select(_ => new double[length])];
}
