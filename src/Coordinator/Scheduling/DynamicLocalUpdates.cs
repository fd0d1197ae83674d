using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>
/// DyLU: client i is given H_i = ⌊v_i / max_j v_j · H⌋ steps (at least 1), where v is its measured speed, so that clients of any speed
/// come back after about the same time.
/// </summary>
/// <remarks>
/// Liu, Chhaparia, Douillard, Kale, Rusu, Shen, Szlam, Ranzato, "Asynchronous Local-SGD Training for Language Modeling", 2024, §5.2,
/// https://arxiv.org/abs/2401.09135. Deviation: a client not yet measured gets H; speeds are the coordinator's smoothed seconds per
/// step, transfers included. Cost: O(clients) per assignment.
/// </remarks>
/// <param name="steps">H, the steps of the fastest client.</param>
public sealed class DynamicLocalUpdates(int steps) : IStepPolicy
{
    public string Name => StepPolicies.DynamicLocalUpdates;

    public LocalWork WorkFor(ISchedulingContext run, ClientId client)
    {
        var own = run.Facts(client).SecondsPerStep;
        if (own <= 0)
        {
            return LocalWork.OfSteps(steps);
        }

        var fastest = own;
        for (var i = 0; i < run.ClientCount; i++)
        {
            var other = run.Facts(new ClientId(i)).SecondsPerStep;
            fastest = other > 0 ? Math.Min(fastest, other) : fastest;
        }

        return LocalWork.OfSteps(Math.Max(1, (int)Math.Floor(fastest / own * steps)));
    }
}
