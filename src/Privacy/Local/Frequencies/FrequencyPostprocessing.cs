namespace Federated.Privacy.Local.Frequencies;

/// <summary>Makes estimated frequencies presentable. Post-processing costs no privacy, but adds bias: keep the raw ones for further sums.</summary>
public static class FrequencyPostprocessing
{
    /// <summary>
    /// Norm-Sub: subtracts one constant and clips at zero so that the frequencies are non-negative and sum to 1: the projection onto
    /// the simplex, and the first defence against poisoned reports.
    /// </summary>
    /// <remarks>Wang et al., "Locally Differentially Private Frequency Estimation with Consistency", NDSS 2020. Cost: O(k log k).</remarks>
    public static void NormSub(Span<double> frequencies)
    {
        if (frequencies.IsEmpty)
        {
            return;
        }

        var sorted = frequencies.ToArray();
        Array.Sort(sorted, static (a, b) => b.CompareTo(a));
        double sum = 0, shift = 0;
        for (var i = 0; i < sorted.Length; i++)
        {
            sum += sorted[i];
            var candidate = (sum - 1) / (i + 1);
            if (sorted[i] - candidate <= 0)
            {
                break;
            }

            shift = candidate;
        }

        foreach (ref var frequency in frequencies)
        {
            frequency = Math.Max(0, frequency - shift);
        }
    }
}
