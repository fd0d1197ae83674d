using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// A model update made locally private: clipped to C, lifted to the unit sphere of one dimension more, randomised there, and brought
/// back. The result is an unbiased estimate of the clipped update, for every update including zero.
/// </summary>
/// <remarks>
/// privacy.md §3.2: u = (x/C, √(1 − ‖x‖²/C²)); drop the last coordinate of the report and multiply by C. The neighbours are any two updates of
/// one client, so the unit is a participation under replace-one. Mean squared error of the mean of n clients: C²·MSE/n.
/// </remarks>
public sealed class LocalUpdateRandomizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] lifted;

    /// <param name="randomizer">For d + 1 coordinates.</param>
    /// <param name="clipNorm">C.</param>
    public LocalUpdateRandomizer(IUnitVectorRandomizer<T> randomizer, double clipNorm)
    {
        ArgumentNullException.ThrowIfNull(randomizer);
        L2Clip.CheckBound(clipNorm);
        (Randomizer, ClipNorm) = (randomizer, clipNorm);
        lifted = new T[randomizer.Dimension];
    }

    public IUnitVectorRandomizer<T> Randomizer { get; }

    /// <summary>C.</summary>
    public double ClipNorm { get; }

    /// <summary>d.</summary>
    public int Dimension => Randomizer.Dimension - 1;

    /// <summary>E‖result − clipped update‖², at most (the lifted coordinate's share is dropped).</summary>
    public double MeanSquaredError => ClipNorm * ClipNorm * Randomizer.MeanSquaredError;

    /// <summary>Clips and randomises in place. Not thread-safe: it reuses a buffer of d + 1.</summary>
    /// <returns>What clipping found: private, it stays on the device.</returns>
    public ClipReport Randomize(Span<T> update, IRandomSource random)
    {
        if (update.Length != Dimension)
        {
            throw new PrivacyException($"The randomiser is for updates of {Dimension} parameters; this one has {update.Length}.");
        }

        var report = L2Clip.Apply(update, ClipNorm, maxThreads: 1);
        update.CopyTo(lifted);
        VectorMath.Scale(lifted.AsSpan(0, Dimension), 1 / ClipNorm);
        var norm = L2Clip.Norm<T>(lifted.AsSpan(0, Dimension));
        lifted[^1] = T.CreateTruncating(Math.Sqrt(Math.Max(0, 1 - (norm * norm))));
        Randomizer.Randomize(lifted, lifted, random);
        lifted.AsSpan(0, Dimension).CopyTo(update);
        VectorMath.Scale(update, ClipNorm);
        lifted.AsSpan().Clear();
        return report;
    }
}
