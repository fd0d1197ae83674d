using System.Numerics;
using System.Numerics.Tensors;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Models;

/// <summary>
/// The numbers behind a run: carries out the machine's <see cref="Accumulate"/> and <see cref="Publish"/> effects. Every host uses
/// it, so that a run in virtual time and a served one compute the same bits.
/// </summary>
/// <remarks>
/// Memory: one buffer of d per version that somebody still holds, plus the aggregator's and the optimizer's state. One thread
/// accumulates and publishes; others may read versions they hold.
/// </remarks>
public sealed class ModelState<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IAggregator<T> aggregator;
    private readonly IServerOptimizer<T> optimizer;
    private readonly IObjectiveServer<T>? objective;
    private readonly T[] deployed;
    private readonly List<ModelVersion<T>> retired = [];
    private readonly T[] pseudoGradient;
    private readonly PrivateRelease<T>? privacy;
    private readonly List<(int Client, string Reason)> leftOut = [];
    private WeightedMean<T>? moves;
    private T[]? rebased;
    private T[]? admitted;

    /// <param name="initial">The d parameters of version 0; owned by this state from here on.</param>
    /// <param name="objective">The server's part of the local objective; null for objectives that have none.</param>
    /// <param name="privacy">
    /// What stands between accepted updates and what is published; null in a run without. A policy that takes plain sums replaces the
    /// aggregator, whose weights and divisor it has been told.
    /// </param>
    public ModelState(
        T[] initial, IAggregator<T> aggregator, IServerOptimizer<T> optimizer, IObjectiveServer<T>? objective = null, PrivateRelease<T>? privacy = null)
    {
        ArgumentNullException.ThrowIfNull(initial);
        this.aggregator = privacy is { TakesPlainSum: true }
            ? new WeightedMean<T>(initial.Length, new WeightedMeanOptions { Normalisation = Normalisation.None })
            : aggregator;
        (this.optimizer, this.objective, this.privacy) = (optimizer, objective, privacy);
        Current = new ModelVersion<T>(0, initial) { Extras = Downlink() };
        pseudoGradient = new T[initial.Length];
        deployed = objective is { HasOwnDeployment: true } ? (T[])initial.Clone() : [];
    }

    /// <summary>The current version; hold it before handing it to another thread.</summary>
    public ModelVersion<T> Current { get; private set; }

    /// <summary>The pseudo-gradient of the last publish (add-form, d coordinates), for metrics.</summary>
    public ReadOnlySpan<T> LastPseudoGradient => pseudoGradient;

    /// <summary>The model to evaluate and to ship: the current version's parameters, unless the objective deploys another.</summary>
    public T[] Deployed => deployed.Length > 0 ? deployed : Current.Parameters;

    /// <summary>Names of the vectors that must come up with every update (d values each).</summary>
    public IReadOnlyList<string> UplinkNames => objective?.Up ?? [];

    /// <summary>What the next version depends on beside the parameters, by name: the state of aggregator, optimizer and objective, and correlated noise.</summary>
    public IReadOnlyDictionary<string, Memory<T>> Vectors
    {
        get
        {
            var vectors = new SortedDictionary<string, Memory<T>>(StringComparer.Ordinal);
            foreach (var (owner, state) in ((string, IReadOnlyDictionary<string, Memory<T>>?)[])[
                ("aggregator", aggregator.State), ("objective", objective?.State), ("optimizer", optimizer.State)])
            {
                foreach (var (name, values) in state ?? new Dictionary<string, Memory<T>>())
                {
                    vectors.Add($"{owner}.{name}", values);
                }
            }

            var noise = privacy?.NoiseVectors() ?? [];
            for (var i = 0; i < noise.Count; i++)
            {
                vectors.Add($"privacy.noise-{i}", noise[i]);
            }

            return vectors;
        }
    }

    /// <summary>Name of the server optimizer, where it has state and steps the model that is shipped; else empty.</summary>
    public string Optimizer => optimizer.State.Count > 0 && deployed.Length == 0 ? optimizer.Name : "";

    /// <summary>The optimizer's part of <see cref="Vectors"/>.</summary>
    public IEnumerable<KeyValuePair<string, Memory<T>>> OptimizerVectors => Vectors.Where(v => v.Key.StartsWith("optimizer.", StringComparison.Ordinal));

    /// <summary>The run's privacy; null in a run without.</summary>
    public PrivateRelease<T>? Privacy => privacy;

    /// <summary>Says that the parameters in <see cref="Current"/>, and the optimizer's and objective's state, have been set to a version's.</summary>
    public void Restore(int version)
    {
        Current.Version = version;
        Current.Extras = Downlink();
        privacy?.Restored();
        if (deployed.Length > 0)
        {
            Current.Parameters.CopyTo(deployed, 0); // Only until the next publish; evaluations of this version came before.
        }
    }

    /// <summary>Folds one accepted update in.</summary>
    /// <param name="delta">d coordinates, local − base.</param>
    /// <param name="baseModel">The parameters of the update's base version; read only when the basis is the current version.</param>
    /// <param name="extras">What came up beside the delta; may be null when the objective needs nothing.</param>
    public void Accumulate(
        Accumulate effect, ReadOnlySpan<T> delta, ReadOnlySpan<T> baseModel, IReadOnlyDictionary<string, ReadOnlyMemory<T>>? extras = null)
    {
        ArgumentNullException.ThrowIfNull(effect);
        RequireExtras(extras);
        if (privacy is not null)
        {
            delta.CopyTo(admitted ??= new T[delta.Length]);
            Admit(privacy, effect, admitted, baseModel);
            return;
        }

        if (CountsAgainstCurrent(effect))
        {
            var rebased = Distance(baseModel);
            TensorPrimitives.Add<T>(rebased, delta, rebased);
            delta = rebased;
        }

        aggregator.Add(Contribution(effect, delta));
        TakeExtras(extras);
    }

    /// <summary>
    /// Folds one accepted update in that is still encoded: added while it is decoded, so that no decoded copy stands in memory, with the
    /// same bits as decoding first. The aggregator decides what a message means: an update, or under a shifted mean a change of shift.
    /// </summary>
    /// <param name="codec">The codec that wrote the message.</param>
    /// <param name="message">One whole message, from anybody.</param>
    /// <param name="baseModel">The parameters of the update's base version; read only when the basis is the current version.</param>
    /// <param name="extras">What came up beside the delta; may be null when the objective needs nothing.</param>
    /// <exception cref="AggregationException">The message is refused; nothing was folded in.</exception>
    public void AccumulateEncoded(
        Accumulate effect,
        IUpdateCodec<T> codec,
        ReadOnlySpan<byte> message,
        ReadOnlySpan<T> baseModel,
        IReadOnlyDictionary<string, ReadOnlyMemory<T>>? extras = null)
    {
        ArgumentNullException.ThrowIfNull(effect);
        ArgumentNullException.ThrowIfNull(codec);
        RequireExtras(extras);
        if (privacy is not null)
        {
            codec.DecodeInto(message, admitted ??= new T[pseudoGradient.Length]); // It must be clipped whole before any of it is added.
            Admit(privacy, effect, admitted, baseModel);
            return;
        }

        if (CountsAgainstCurrent(effect))
        {
            var rebased = Distance(baseModel);
            var add = new VectorSink<T>(rebased, T.One);
            codec.Decode(message, rebased.Length, ref add);
            aggregator.Add(Contribution(effect, rebased));
        }
        else
        {
            aggregator.AddEncoded(codec, message, Contribution(effect, []), pseudoGradient.Length);
        }

        TakeExtras(extras);
    }

    /// <summary>Combines what was accumulated and makes it the next version.</summary>
    /// <exception cref="CoordinatorException">The machine's version is not the next one: the host lost or repeated an effect.</exception>
    public CombineReport Publish(Publish effect)
    {
        ArgumentNullException.ThrowIfNull(effect);
        if (effect.Version != Current.Version + 1 || effect.Count != aggregator.Count + leftOut.Count)
        {
            throw new CoordinatorException(
                $"Publishing version {effect.Version} of {effect.Count} updates needs version {effect.Version - 1} and as many accumulated; "
                + $"there is version {Current.Version} with {aggregator.Count + leftOut.Count}. The host lost or repeated an effect.");
        }

        var report = privacy is null ? Combine() : Release(privacy, effect.Count);
        var before = Current;
        var next = Current;
        if (before.IsShared)
        {
            next = Fresh(effect.Version);
            before.Parameters.CopyTo(next.Parameters, 0);
            before.Release();
            retired.Add(before);
        }

        next.Version = effect.Version;
        if (objective is null)
        {
            optimizer.Step(next.Parameters, pseudoGradient);
        }
        else
        {
            objective.Step(next.Parameters, pseudoGradient, effect.Count, optimizer, deployed);
            next.Extras = Downlink();
        }

        Current = next;
        return report;
    }

    /// <summary>Folds an update in as far as the run's privacy lets it; objectives that send more than the update have none.</summary>
    private void Admit(PrivateRelease<T> privacy, Accumulate effect, T[] delta, ReadOnlySpan<T> baseModel)
    {
        var client = effect.Assignment.Client.Value;
        if (privacy.Admit(client, delta, effect.Weight) is { } refusal)
        {
            leftOut.Add((client, refusal));
            return;
        }

        if (privacy.TakesPlainSum)
        {
            aggregator.Add(new Contribution<T>(client, delta, 1) { Sequence = effect.Assignment.Id.Value });
            if (!CountsAgainstCurrent(effect))
            {
                return;
            }

            // Both versions are public: their difference needs no noise, and must not be clipped with the update.
            (moves ??= new WeightedMean<T>(delta.Length, new WeightedMeanOptions { Normalisation = Normalisation.None }))
                .Add(Contribution(effect, Distance(baseModel)));
        }
        else if (CountsAgainstCurrent(effect))
        {
            TensorPrimitives.Add<T>(Distance(baseModel), delta, rebased);
            aggregator.Add(Contribution(effect, rebased));
        }
        else
        {
            aggregator.Add(Contribution(effect, delta));
        }
    }

    /// <summary>A round may have been empty: a step of zero.</summary>
    private CombineReport Combine()
    {
        if (aggregator.Count > 0)
        {
            return aggregator.Combine(pseudoGradient);
        }

        pseudoGradient.AsSpan().Clear();
        return new CombineReport(0, 0);
    }

    private CombineReport Release(PrivateRelease<T> privacy, int count)
    {
        var report = Combine();
        privacy.Release(pseudoGradient, count); // Of nobody's updates too: the noise is added all the same, or its absence would tell.
        if (moves is { Count: > 0 })
        {
            rebased ??= new T[pseudoGradient.Length];
            moves.Combine(rebased);
            TensorPrimitives.Add<T>(pseudoGradient, rebased, pseudoGradient);
        }

        report = report with { LeftOut = [.. report.LeftOut, .. leftOut] };
        leftOut.Clear();
        return report;
    }

    private static bool CountsAgainstCurrent(Accumulate effect) => effect is { Basis: DeltaBasis.CurrentVersion, Staleness: > 0 };

    private static Contribution<T> Contribution(Accumulate effect, ReadOnlySpan<T> delta) => new(effect.Assignment.Client.Value, delta, effect.Weight)
    {
        Sequence = effect.Assignment.Id.Value,
        Examples = effect.Report.Examples,
        LocalSteps = effect.Report.LocalSteps,
        StepWeight = effect.Report.StepWeight,
        Staleness = effect.Staleness,
    };

    /// <summary>w^b − w^t, to which an update u is added: y − w^t = u + w^b − w^t.</summary>
    private T[] Distance(ReadOnlySpan<T> baseModel)
    {
        rebased ??= new T[pseudoGradient.Length];
        TensorPrimitives.Subtract(baseModel, Current.Parameters, rebased);
        return rebased;
    }

    private void RequireExtras(IReadOnlyDictionary<string, ReadOnlyMemory<T>>? extras)
    {
        if (objective is { Up.Count: > 0 })
        {
            ArgumentNullException.ThrowIfNull(extras);
        }
    }

    private void TakeExtras(IReadOnlyDictionary<string, ReadOnlyMemory<T>>? extras)
    {
        if (objective is { Up.Count: > 0 })
        {
            objective.Accumulate(extras!);
        }
    }

    private Dictionary<string, ReadOnlyMemory<T>> Downlink()
    {
        // A copy per version: clients in flight read the value of the version they started from.
        var values = new Dictionary<string, ReadOnlyMemory<T>>();
        foreach (var name in objective?.Down ?? [])
        {
            values.Add(name, objective!.Value(name).ToArray());
        }

        return values;
    }

    private ModelVersion<T> Fresh(int version)
    {
        var index = retired.FindIndex(v => v.IsFree);
        if (index < 0)
        {
            return new ModelVersion<T>(version, new T[pseudoGradient.Length]);
        }

        var buffer = retired[index];
        retired.RemoveAt(index);
        buffer.Reuse(version);
        return buffer;
    }
}
