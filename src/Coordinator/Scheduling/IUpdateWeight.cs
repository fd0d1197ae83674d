using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>The weight d_i of an update in its aggregate, before the aggregator's normalisation.</summary>
public interface IUpdateWeight
{
    /// <param name="staleness">τ at the time the update is combined.</param>
    double Weight(ISchedulingContext run, Assignment assignment, UpdateReport report, int staleness);

    /// <summary>The client's intended importance relative to the others, ω(n_i): what its weight would be if all took part alike.</summary>
    double Importance(double examples);

    /// <summary>s(τ): the part of the weight that staleness takes; s(0) = 1 unless normalised otherwise.</summary>
    double Staleness(int staleness);
}

/// <summary>Example weight times staleness weight, ω(n_i)·s(τ).</summary>
/// <param name="importance">ω: from the examples n_i.</param>
/// <param name="decay">s: from τ.</param>
public sealed class UpdateWeight(Func<double, double> importance, Func<int, double> decay) : IUpdateWeight
{
    /// <summary>n_i, whatever the staleness (FedAvg).</summary>
    public static UpdateWeight ByExamples { get; } = new(n => n, _ => 1);

    /// <summary>1 for every update.</summary>
    public static UpdateWeight Equal { get; } = new(_ => 1, _ => 1);

    public double Weight(ISchedulingContext run, Assignment assignment, UpdateReport report, int staleness) =>
        Importance(report.Examples) * Staleness(staleness);

    public double Importance(double examples) => importance(examples);

    public double Staleness(int staleness) => decay(staleness);
}
