using System.Collections.Immutable;
using System.Numerics;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>Names of the state vectors in checkpoints, and checks that optimizers share.</summary>
internal static class OptimizerState
{
    public const string Momentum = "momentum";
    public const string SecondMoment = "second-moment";
    public const string Steps = "steps";
    public const string Window = "window-sum";

    public static ImmutableSortedDictionary<string, Memory<T>> Of<T>(params ReadOnlySpan<(string Name, T[] Values)> vectors)
    {
        var state = ImmutableSortedDictionary.CreateBuilder<string, Memory<T>>(StringComparer.Ordinal);
        foreach (var (name, values) in vectors)
        {
            state.Add(name, values);
        }

        return state.ToImmutable();
    }

    public static T[] Filled<T>(int dimension, double value)
        where T : unmanaged, INumberBase<T>
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dimension);
        var vector = new T[dimension];
        Array.Fill(vector, T.CreateTruncating(value));
        return vector;
    }

    public static void Require(bool isInRange, string optimizer, string setting, double value, string range)
    {
        if (!isInRange)
        {
            throw new AggregationException($"The server optimizer {optimizer} needs {setting} {range}; it was {value}.");
        }
    }

    public static void RequireRate(string optimizer, double rate) =>
        Require(rate > 0 && double.IsFinite(rate), optimizer, "a learning rate", rate, "above 0");

    public static void RequireShare(string optimizer, string setting, double share) =>
        Require(share is >= 0 and < 1, optimizer, setting, share, "in [0, 1)");
}
