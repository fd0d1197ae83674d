namespace Federated.Privacy.Audit;

/// <summary>The true parameter of a mechanism whose outputs are finitely many, from its laws: no sampling, no confidence.</summary>
public static class ExactAudit
{
    /// <summary>The smallest ε at which all laws are (ε, 0)-close: the largest log-ratio over outputs and pairs of inputs.</summary>
    /// <param name="laws">For each input, the probability of each output, in one order.</param>
    public static double Epsilon(IReadOnlyList<IReadOnlyList<double>> laws)
    {
        Check(laws);
        var worst = 0.0;
        for (var output = 0; output < laws[0].Count; output++)
        {
            var most = laws.Max(law => law[output]);
            var least = laws.Min(law => law[output]);
            if (most > 0)
            {
                worst = Math.Max(worst, least > 0 ? Math.Log(most / least) : double.PositiveInfinity);
            }
        }

        return worst;
    }

    /// <summary>The smallest δ at ε: the largest hockey-stick divergence over ordered pairs of inputs.</summary>
    public static double Delta(IReadOnlyList<IReadOnlyList<double>> laws, double epsilon)
    {
        Check(laws);
        var scale = Math.Exp(epsilon);
        return laws.Max(p => laws.Max(q => p.Zip(q, (a, b) => Math.Max(0, a - (scale * b))).Sum()));
    }

    private static void Check(IReadOnlyList<IReadOnlyList<double>> laws)
    {
        ArgumentNullException.ThrowIfNull(laws);
        if (laws.Count < 2 || laws.Any(law => law.Count != laws[0].Count || Math.Abs(law.Sum() - 1) > 1e-9 || law.Any(p => !(p >= 0))))
        {
            throw new PrivacyException("An exact audit needs the laws of two inputs or more, over the same outputs, each summing to 1.");
        }
    }
}
