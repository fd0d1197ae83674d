using System.Numerics;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Training.LocalObjectives;

/// <summary>
/// What a client minimises: its own loss, or its own loss with a term that ties it to the others. An instance belongs to one worker and
/// serves any number of clients, one after the other; whatever a client must remember goes through its <see cref="LocalExchange{T}"/>.
/// </summary>
/// <remarks>
/// Every objective here follows the direction G(w) + linear + quadratic·w with a vector and a number that are fixed for one assignment, so
/// that the term costs nothing beside the gradient. G is the model's gradient unless <see cref="HasOwnGradient"/>.
/// Order of calls per assignment: <see cref="Begin"/>, then gradients, then <see cref="End"/>.
/// </remarks>
public interface ILocalObjective<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    string Name { get; }

    /// <summary>Vectors of d values that the server sends down beside the model.</summary>
    IReadOnlyList<string> ServerTensors { get; }

    /// <summary>Vectors of d values that a client keeps from one assignment to the next; absent means zeros.</summary>
    IReadOnlyList<string> ClientState { get; }

    /// <summary>Vectors of d values that a client sends up beside its delta.</summary>
    IReadOnlyList<string> ClientTensors { get; }

    /// <summary>Whether the local optimizer's momentum or adaptivity is compatible with what <see cref="End"/> computes.</summary>
    bool NeedsPlainSgd { get; }

    /// <summary>Whether G is not simply the model's gradient; <see cref="Gradient"/> is then called for it.</summary>
    bool HasOwnGradient { get; }

    /// <summary>Starts an assignment.</summary>
    /// <param name="linear">d values; overwritten if the return value says that they are used.</param>
    LocalTerm Begin(in LocalRun<T> run, Span<T> linear);

    /// <summary>Mean loss and G at w; only called when <see cref="HasOwnGradient"/>.</summary>
    double Gradient(IModel<T> model, ReadOnlySpan<T> parameters, in Batch<T> batch, Span<T> gradient);

    /// <summary>
    /// Ends an assignment: writes what goes up and the client's next state into the exchange. The state is pending: the caller commits it
    /// only when the server has accepted the update.
    /// </summary>
    void End(in LocalRun<T> run, in LocalOutcome<T> outcome);
}

/// <summary>The term linear + quadratic·w that an objective adds to every gradient of an assignment.</summary>
public readonly record struct LocalTerm(bool HasLinear, double Quadratic)
{
    public static LocalTerm None => default;
}

/// <summary>What an objective sees of an assignment.</summary>
public readonly ref struct LocalRun<T>(
    IModel<T> model, ReadOnlySpan<T> start, DataSet data, ReadOnlySpan<int> examples, LocalExchange<T> exchange)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public IModel<T> Model { get; } = model;

    /// <summary>w, the parameters that the server sent (d values).</summary>
    public ReadOnlySpan<T> Start { get; } = start;

    public DataSet Data { get; } = data;

    /// <summary>The client's own examples, as indices into <see cref="Data"/>.</summary>
    public ReadOnlySpan<int> Examples { get; } = examples;

    public LocalExchange<T> Exchange { get; } = exchange;
}

/// <summary>What came of an assignment.</summary>
/// <param name="delta">y − w (d values).</param>
/// <param name="steps">Local steps done.</param>
/// <param name="rateSum">Σ η_k over the steps: K·η for a constant rate.</param>
public readonly ref struct LocalOutcome<T>(ReadOnlySpan<T> delta, int steps, double rateSum)
    where T : unmanaged
{
    public ReadOnlySpan<T> Delta { get; } = delta;

    public int Steps { get; } = steps;

    public double RateSum { get; } = rateSum;
}
