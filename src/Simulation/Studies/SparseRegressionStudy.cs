using System.Globalization;
using Federated.Privacy.Local.Regression;
using Federated.Privacy.Randomness;

namespace Federated.Simulation.Studies;

/// <summary>
/// Sparse linear regression from one locally private report a client, without round trips: how far the coefficients are off, by dimension, number of clients and ε,
/// beside least squares on the same rows without noise.
/// </summary>
/// <remarks>
/// <see cref="SparseRegression"/> at δ = 10⁻⁵: x uniform on the unit sphere of d dimensions, y = ⟨w, x⟩ + N(0, 0.1²), w with three coefficients ±1/√3 at random places.
/// Both keep the three largest. <c>error</c> is ‖ŵ − w‖/‖w‖, which is 1 for ŵ = 0; <c>found</c> the share of the three that are kept with the right sign.
/// </remarks>
public sealed class SparseRegressionStudy : Study
{
    private const int Sparsity = 3;
    private const double Delta = 1e-5;
    private const double TargetNoise = 0.1;
    private static readonly int[] Dimensions = [5, 10];
    private static readonly int[] Sizes = [10_000, 100_000, 1_000_000];
    private static readonly double[] Epsilons = [1, 4];

    public override string Name => "regression";

    public override string Description => "Error of sparse linear regression from one locally private report a client, against least squares without noise.";

    public override IReadOnlyList<string> SettingColumns => ["dimension", "clients", "epsilon"];

    public override IReadOnlyList<string> ValueColumns => ["error", "found"];

    public override IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        foreach (var d in Dimensions)
        {
            foreach (var n in Sizes.Where(n => input.Largest == 0 || n <= input.Largest))
            {
                var rows = Rows.Draw(input.Seed, d, n);
                yield return Judge(d, n, "none", rows.Truth, LeastSquares(rows));
                foreach (var epsilon in Epsilons)
                {
                    cancellation.ThrowIfCancellationRequested();
                    yield return Judge(d, n, epsilon.ToString(CultureInfo.InvariantCulture), rows.Truth, Private(rows, epsilon, input.Seed, cancellation));
                }
            }
        }
    }

    private double[] Private(Rows rows, double epsilon, ulong seed, CancellationToken cancellation)
    {
        var (d, n) = (rows.Truth.Length, rows.Targets.Length);
        var protocol = new SparseRegression(new SparseRegressionOptions { Dimension = d, Sparsity = Sparsity, Epsilon = epsilon, Delta = Delta });
        using var random = SimulationRandom.Derive(seed, Name, 2, d, n, (long)(1000 * epsilon));
        var (report, sum) = (new double[protocol.ReportLength], new double[protocol.ReportLength]);
        for (var i = 0; i < n; i++)
        {
            if (i % 10_000 == 0)
            {
                cancellation.ThrowIfCancellationRequested();
            }

            protocol.Randomize(rows.Features.AsSpan(i * d, d), rows.Targets[i], report, random);
            for (var j = 0; j < sum.Length; j++)
            {
                sum[j] += report[j];
            }
        }

        return protocol.Estimate(sum, n);
    }

    /// <summary>The k largest of (Σxxᵀ)⁻¹Σxy, by Gauss–Jordan: the matrix is near n/d times the identity.</summary>
    private static double[] LeastSquares(Rows rows)
    {
        var d = rows.Truth.Length;
        var m = new double[d, d + 1];
        for (var i = 0; i < rows.Targets.Length; i++)
        {
            var x = rows.Features.AsSpan(i * d, d);
            for (var a = 0; a < d; a++)
            {
                for (var b = 0; b < d; b++)
                {
                    m[a, b] += x[a] * x[b];
                }

                m[a, d] += x[a] * rows.Targets[i];
            }
        }

        for (var p = 0; p < d; p++)
        {
            for (var a = 0; a < d; a++)
            {
                var factor = a == p ? 0 : m[a, p] / m[p, p];
                for (var b = p; factor != 0 && b <= d; b++)
                {
                    m[a, b] -= factor * m[p, b];
                }
            }
        }

        var all = Enumerable.Range(0, d).Select(a => m[a, d] / m[a, a]).ToArray();
        var threshold = all.Select(Math.Abs).OrderDescending().ElementAt(Sparsity - 1);
        return [.. all.Select(w => Math.Abs(w) >= threshold ? w : 0)];
    }

    private static StudyRow Judge(int d, int n, string epsilon, double[] truth, double[] found)
    {
        var (square, right) = (0.0, 0);
        for (var i = 0; i < d; i++)
        {
            square += (found[i] - truth[i]) * (found[i] - truth[i]);
            right += truth[i] * found[i] > 0 ? 1 : 0;
        }

        return new(
            [d.ToString(CultureInfo.InvariantCulture), n.ToString(CultureInfo.InvariantCulture), epsilon], [Math.Sqrt(square / truth.Sum(w => w * w)), (double)right / Sparsity]);
    }

    /// <summary>The clients' rows, one after the other, and what they were drawn from.</summary>
    private sealed record Rows(double[] Features, double[] Targets, double[] Truth)
    {
        public static Rows Draw(ulong seed, int d, int n)
        {
            using var random = SimulationRandom.Derive(seed, "regression", 1, d, n);
            var truth = new double[d];
            for (var placed = 0; placed < Sparsity;)
            {
                var at = (int)(random.NextUInt64() % (ulong)d);
                if (truth[at] == 0)
                {
                    truth[at] = (random.NextBit() ? 1 : -1) / Math.Sqrt(Sparsity);
                    placed++;
                }
            }

            var (features, targets) = (new double[n * d], new double[n]);
            GaussianSampler.Fill(features.AsSpan(), 1, random);
            GaussianSampler.Fill(targets.AsSpan(), TargetNoise, random);
            for (var i = 0; i < n; i++)
            {
                var x = features.AsSpan(i * d, d);
                var (norm, product) = (0.0, 0.0);
                for (var j = 0; j < d; j++)
                {
                    norm += x[j] * x[j];
                }

                for (var j = 0; j < d; j++)
                {
                    x[j] /= Math.Sqrt(norm);
                    product += x[j] * truth[j];
                }

                targets[i] += product;
            }

            return new(features, targets, truth);
        }
    }
}
