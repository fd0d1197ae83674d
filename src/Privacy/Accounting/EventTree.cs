namespace Federated.Privacy.Accounting;

/// <summary>Turns an event into the list of runs that an accountant composes: mechanisms, or sampled mechanisms, each with a count.</summary>
internal static class EventTree
{
    /// <summary>
    /// The leaves of an event with their multiplicities, equal leaves merged, in order of first occurrence. A leaf is a
    /// <see cref="MechanismEvent"/>, or a <see cref="PoissonSampledEvent"/> or <see cref="FixedSizeSampledEvent"/> around one.
    /// </summary>
    public static IReadOnlyList<(PrivacyEvent Leaf, long Count)> Flatten(PrivacyEvent privacyEvent)
    {
        ArgumentNullException.ThrowIfNull(privacyEvent);
        var order = new List<PrivacyEvent>();
        var counts = new Dictionary<PrivacyEvent, long>();
        Visit(privacyEvent, 1, order, counts);
        return [.. order.Select(leaf => (leaf, counts[leaf])).Where(part => part.Item2 > 0)];
    }

    /// <summary>The mechanism inside a leaf.</summary>
    public static MechanismEvent Mechanism(PrivacyEvent leaf) => leaf switch
    {
        MechanismEvent mechanism => mechanism,
        PoissonSampledEvent sampled => Mechanism(sampled.Inner),
        FixedSizeSampledEvent sampled => Mechanism(sampled.Inner),
        _ => throw new PrivacyException($"No accountant knows the event {leaf.GetType().Name}: compose it of the known ones."),
    };

    private static void Visit(PrivacyEvent e, long count, List<PrivacyEvent> order, Dictionary<PrivacyEvent, long> counts)
    {
        switch (e)
        {
            case RepeatedEvent repeated:
                Visit(repeated.Inner, checked(count * repeated.Count), order, counts);
                break;
            case ComposedEvent composed:
                foreach (var part in composed.Events)
                {
                    Visit(part, count, order, counts);
                }

                break;
            case PoissonSampledEvent { Probability: 0 }:
                break;
            case PoissonSampledEvent { Probability: 1 } sampled:
                Visit(sampled.Inner, count, order, counts);
                break;
            case PoissonSampledEvent sampled:
                Add(Sampled(sampled), count, order, counts);
                break;
            case FixedSizeSampledEvent sampled when sampled.SampleSize == sampled.Population:
                Visit(sampled.Inner, count, order, counts);
                break;
            case FixedSizeSampledEvent sampled:
                Add(sampled.Inner is MechanismEvent ? sampled : new FixedSizeSampledEvent(sampled.Population, sampled.SampleSize, AsOne(sampled.Inner)), count, order, counts);
                break;
            default:
                Add(Mechanism(e), count, order, counts);
                break;
        }
    }

    private static PoissonSampledEvent Sampled(PoissonSampledEvent sampled) => sampled.Inner switch
    {
        MechanismEvent => sampled,
        // Two independent coins are one.
        PoissonSampledEvent inner => Sampled(new PoissonSampledEvent(sampled.Probability * inner.Probability, inner.Inner)),
        var inner => new PoissonSampledEvent(sampled.Probability, AsOne(inner)),
    };

    /// <summary>A composition as one mechanism, which a sampled event needs: the coin is flipped once for all of its parts.</summary>
    private static MechanismEvent AsOne(PrivacyEvent inner)
    {
        var parts = Flatten(inner);
        if (parts is [(MechanismEvent only, 1)])
        {
            return only;
        }

        if (parts.Count > 0 && parts.All(part => part.Leaf is GaussianEvent))
        {
            var merged = AnalyticGaussian.Compose(parts.Select(part => (((GaussianEvent)part.Leaf).NoiseMultiplier, part.Count)));
            return new GaussianEvent(inner.Relation, merged);
        }

        throw new PrivacyException(
            "Amplification by sampling is known here for one mechanism, or for several Gaussian ones that share the coin, but the sampled event "
            + "composes others: sample each mechanism on its own coins, and compose the sampled events.");
    }

    private static void Add(PrivacyEvent leaf, long count, List<PrivacyEvent> order, Dictionary<PrivacyEvent, long> counts)
    {
        if (counts.TryAdd(leaf, count))
        {
            order.Add(leaf);
        }
        else
        {
            counts[leaf] = checked(counts[leaf] + count);
        }
    }
}
