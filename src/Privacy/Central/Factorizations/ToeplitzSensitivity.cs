namespace Federated.Privacy.Central.Factorizations;

/// <summary>Column norms and errors of lower-triangular Toeplitz strategies.</summary>
internal static class ToeplitzSensitivity
{
    /// <summary>sens(C) for c of any length up to n, zero beyond.</summary>
    public static double Of(ReadOnlySpan<double> coefficients, int steps, Participation participation)
    {
        Span<double> envelope = new double[coefficients.Length];
        var running = 0.0;
        for (var i = coefficients.Length - 1; i >= 0; i--)
        {
            // Equal to |c| when that does not increase; otherwise the smallest non-increasing bound of it.
            running = Math.Max(running, Math.Abs(coefficients[i]));
            envelope[i] = running;
        }

        var sum = new double[steps];
        var count = participation.Within(steps);
        for (var j = 0; j < count; j++)
        {
            var start = j * participation.Separation;
            for (var i = 0; i < envelope.Length && start + i < steps; i++)
            {
                sum[start + i] += envelope[i];
            }
        }

        return Math.Sqrt(sum.Sum(x => x * x));
    }

    /// <summary>First column of B = A·C⁻¹: the solution of c ∗ b = (1, 1, …).</summary>
    public static double[] Decoder(ReadOnlySpan<double> coefficients, int steps)
    {
        var b = new double[steps];
        for (var t = 0; t < steps; t++)
        {
            var sum = 1.0;
            for (var j = Math.Min(t, coefficients.Length - 1); j >= 1; j--)
            {
                sum -= coefficients[j] * b[t - j];
            }

            b[t] = sum / coefficients[0];
        }

        return b;
    }

    /// <summary>Σ_{s≤t} b_s².</summary>
    public static double[] ErrorVariances(ReadOnlySpan<double> coefficients, int steps)
    {
        var variances = Decoder(coefficients, steps);
        var sum = 0.0;
        for (var t = 0; t < steps; t++)
        {
            sum += variances[t] * variances[t];
            variances[t] = sum;
        }

        return variances;
    }
}
