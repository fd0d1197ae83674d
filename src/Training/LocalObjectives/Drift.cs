using System.Numerics;
using System.Numerics.Tensors;

namespace Federated.Training.LocalObjectives;

/// <summary>What FedDyn and FedSpeed share: the term strength·(y − w + h_i), and h_i ← h_i + (y − w).</summary>
internal static class Drift
{
    public static LocalTerm Begin<T>(in LocalRun<T> run, string name, double strength, Span<T> linear)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var drift = run.Exchange.Remembered(name, linear.Length);
        TensorPrimitives.Negate(run.Start, linear);
        if (!drift.IsEmpty)
        {
            TensorPrimitives.Add(linear, drift, linear);
        }

        TensorPrimitives.Multiply(linear, T.CreateTruncating(strength), linear);
        return new LocalTerm(HasLinear: true, strength);
    }

    public static void End<T>(in LocalRun<T> run, string name, in LocalOutcome<T> outcome)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var next = run.Exchange.Pending(name, outcome.Delta.Length);
        outcome.Delta.CopyTo(next);
        var drift = run.Exchange.Remembered(name, outcome.Delta.Length);
        if (!drift.IsEmpty)
        {
            TensorPrimitives.Add(next, drift, next);
        }
    }
}
