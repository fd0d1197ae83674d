using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Parameters;

namespace Federated.Privacy.Clipping;

/// <summary>
/// Clips each tensor of an update to its own bound C_l; the whole update then has L2 norm at most C = √(Σ C_l²), which is the sensitivity
/// that noise must be scaled to (the sum of the C_l would waste budget, their maximum would break the guarantee).
/// </summary>
/// <remarks>McMahan, Ramage, Talwar, Zhang, "Learning Differentially Private Recurrent Language Models", ICLR 2018, §3, https://arxiv.org/abs/1710.06963.</remarks>
public sealed class PerLayerClip
{
    private readonly ParameterLayout layout;
    private readonly ImmutableArray<double> bounds;

    /// <param name="layout">Where the tensors stand in the update.</param>
    /// <param name="bounds">One public bound a tensor, in layout order.</param>
    public PerLayerClip(ParameterLayout layout, ImmutableArray<double> bounds)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (bounds.Length != layout.Tensors.Length)
        {
            throw new PrivacyException($"Per-layer clipping needs a bound for each of {layout.Tensors.Length} tensors; {bounds.Length} were given.");
        }

        foreach (var bound in bounds)
        {
            L2Clip.CheckBound(bound);
        }

        (this.layout, this.bounds) = (layout, bounds);
        TotalBound = Math.Sqrt(bounds.Sum(b => b * b));
    }

    /// <summary>C = √(Σ C_l²).</summary>
    public double TotalBound { get; }

    /// <summary>Splits a total bound evenly: C_l = C/√L, the paper's per-layer heuristic.</summary>
    public static PerLayerClip Even(ParameterLayout layout, double totalBound)
    {
        ArgumentNullException.ThrowIfNull(layout);
        var layers = layout.Tensors.Length;
        return new PerLayerClip(layout, [.. Enumerable.Repeat(totalBound / Math.Sqrt(layers) * (1 - 1e-15), layers)]);
    }

    /// <summary>Clips in place; a NaN or an infinity anywhere makes the whole update zero.</summary>
    public ClipReport Apply<T>(Span<T> update, int maxThreads = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (update.Length != layout.Count)
        {
            throw new PrivacyException($"The layout has {layout.Count} parameters; the update has {update.Length}.");
        }

        var norm = L2Clip.Norm(update, maxThreads);
        if (!double.IsFinite(norm))
        {
            update.Clear();
            return new ClipReport(0, Clipped: true, WasFinite: false);
        }

        var clipped = false;
        for (var l = 0; l < bounds.Length; l++)
        {
            clipped |= L2Clip.Apply(layout.Tensors[l].In(update), bounds[l], maxThreads).Clipped;
        }

        return new ClipReport(norm, clipped, WasFinite: true);
    }
}
