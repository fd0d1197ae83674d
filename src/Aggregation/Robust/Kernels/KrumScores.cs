namespace Federated.Aggregation.Robust.Kernels;

/// <summary>Krum's score: the sum of an update's squared distances to its nearest fellow candidates.</summary>
internal static class KrumScores
{
    /// <summary>Scores of the <paramref name="candidates"/>, in their order.</summary>
    /// <param name="squared">n × n squared distances, row-major.</param>
    /// <param name="count">n.</param>
    /// <param name="candidates">Indices of the updates still in play, ascending.</param>
    /// <param name="neighbours">How many nearest ones are summed; added in ascending order, so that the sum does not depend on the updates' order.</param>
    public static double[] Of(double[] squared, int count, ReadOnlySpan<int> candidates, int neighbours)
    {
        var scores = new double[candidates.Length];
        var distances = new double[candidates.Length - 1];
        for (var c = 0; c < candidates.Length; c++)
        {
            var next = 0;
            for (var other = 0; other < candidates.Length; other++)
            {
                if (other != c)
                {
                    distances[next++] = squared[(candidates[c] * count) + candidates[other]];
                }
            }

            distances.AsSpan().Sort();
            foreach (var distance in distances.AsSpan(0, Math.Min(neighbours, distances.Length)))
            {
                scores[c] += distance;
            }
        }

        return scores;
    }

    /// <summary>Indices of the <paramref name="take"/> smallest values, ascending by value; ties go to the lower index.</summary>
    public static int[] Smallest(ReadOnlySpan<double> values, int take)
    {
        var keys = values.ToArray();
        var order = new int[keys.Length];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        order.AsSpan().Sort((a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        return order[..take];
    }
}
