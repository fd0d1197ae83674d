using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;

namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>The losses of a linear model, ℓ_i(w) = φ(y_i·⟨w, x_i⟩) or φ(⟨w, x_i⟩ − y_i).</summary>
public enum LinearLossKind
{
    /// <summary>ln(1 + e^(−y⟨w,x⟩)), smooth; y = ±1.</summary>
    Logistic,

    /// <summary>max(0, 1 − y⟨w,x⟩), not smooth; y = ±1.</summary>
    Hinge,

    /// <summary>|⟨w,x⟩ − y|, not smooth.</summary>
    Absolute,
}

/// <summary>Losses of a linear model over rows of features.</summary>
/// <remarks>All three are 1-Lipschitz in ⟨w, x⟩, so L is the largest row norm allowed: rows longer than it are scaled down to it.</remarks>
public sealed class LinearLoss : IUserLoss
{
    private readonly LinearLossKind kind;
    private readonly double[][] rows;
    private readonly double[] targets;

    /// <param name="kind">φ.</param>
    /// <param name="rows">n rows of d features.</param>
    /// <param name="targets">n targets.</param>
    /// <param name="largestNorm">L.</param>
    public LinearLoss(LinearLossKind kind, IReadOnlyList<double[]> rows, IReadOnlyList<double> targets, double largestNorm)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(targets);
        if (rows.Count == 0 || rows.Count != targets.Count || rows.Any(r => r.Length != rows[0].Length))
        {
            throw new PrivacyException($"A linear loss needs rows of one length and a target each; {rows.Count} rows and {targets.Count} targets were given.");
        }

        if (kind != LinearLossKind.Absolute && targets.Any(y => y is not (1 or -1)))
        {
            throw new PrivacyException($"The {kind} loss needs targets of +1 or -1.");
        }

        (this.kind, Lipschitz) = (kind, largestNorm);
        this.targets = [.. targets];
        this.rows = [.. rows.Select(row =>
        {
            var copy = (double[])row.Clone();
            L2Clip.Apply(copy.AsSpan(), largestNorm, maxThreads: 1);
            return copy;
        })];
    }

    public int Users => rows.Length;

    public int Dimension => rows[0].Length;

    public double Lipschitz { get; }

    public double Value(int user, ReadOnlySpan<double> point)
    {
        var z = VectorMath.Dot(rows[user], point);
        var y = targets[user];
        return kind switch
        {
            LinearLossKind.Logistic => SoftPlus(-y * z),
            LinearLossKind.Hinge => Math.Max(0, 1 - (y * z)),
            _ => Math.Abs(z - y),
        };
    }

    public void Gradient(int user, ReadOnlySpan<double> point, Span<double> gradient)
    {
        var z = VectorMath.Dot(rows[user], point);
        var y = targets[user];
        var slope = kind switch
        {
            LinearLossKind.Logistic => -y / (1 + Math.Exp(y * z)),
            LinearLossKind.Hinge => y * z < 1 ? -y : 0,
            _ => Math.Sign(z - y),
        };
        gradient.Clear();
        VectorMath.AddScaled(gradient, rows[user], slope);
    }

    public void Proximal(int user, double smoothness, ReadOnlySpan<double> point, Span<double> result)
    {
        // v = w + a·x: along x the problem is one-dimensional, φ(z + a‖x‖²) + (smoothness/2)·a²‖x‖².
        var z = VectorMath.Dot(rows[user], point);
        var square = VectorMath.Dot<double>(rows[user], rows[user]);
        point.CopyTo(result);
        if (square == 0)
        {
            return;
        }

        var y = targets[user];
        var a = kind switch
        {
            LinearLossKind.Hinge => y * Math.Clamp((1 - (y * z)) / square, 0, 1 / smoothness),
            LinearLossKind.Absolute => Math.Clamp((y - z) / square, -1 / smoothness, 1 / smoothness),
            _ => LogisticStep(y, z, square, smoothness),
        };
        VectorMath.AddScaled(result, rows[user], a);
    }

    /// <summary>a solves smoothness·a = y/(1 + exp(y(z + a‖x‖²))): the left side rises, the right side falls.</summary>
    private static double LogisticStep(double y, double z, double square, double smoothness)
    {
        double low = 0, high = 1 / smoothness; // of y·a
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = smoothness * middle < 1 / (1 + Math.Exp((y * z) + (middle * square))) ? (middle, high) : (low, middle);
        }

        return y * low;
    }

    private static double SoftPlus(double x) => x > 0 ? x + Math.Log(1 + Math.Exp(-x)) : Math.Log(1 + Math.Exp(x));
}
