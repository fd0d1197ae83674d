using System.Globalization;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <content>What comes from clients and evaluations, judged: valid or not, better or worse, still a run or diverged.</content>
public sealed partial class RunMachine
{
    private void OnUpdate(UpdateArrived e)
    {
        if (!inFlight.TryGetValue(e.Assignment.Value, out var assignment) || assignment.Client != e.Client)
        {
            Refuse(e, assignment);
            return;
        }

        ref var record = ref clients[e.Client.Value];
        var staleness = Version - assignment.BaseVersion;
        Measure(ref record, assignment, e.Report);
        inFlight.Remove(assignment.Id.Value);
        record.InFlight = ClientRecord.None;
        if (e.Ready)
        {
            MakeAvailable(e.Client);
        }

        var refusal = Invalid(e.Report, staleness);
        if (refusal is { } reason)
        {
            SettleRejected(assignment, reason.Reason, reason.Detail);
            CountNonFinite(reason.Reason);
            if (finishPending is null)
            {
                scheduler.OnEnded(this, assignment);
            }

            return;
        }

        nonFiniteInARow = 0;
        var settledBefore = accepted + rejected;
        scheduler.OnUpdate(this, new ArrivedUpdate(assignment, e.Report, staleness, e.Ready));
        if (accepted + rejected == settledBefore)
        {
            throw new CoordinatorException($"Scheduler '{scheduler.Name}' neither accepted nor rejected the update of {assignment.Id}. This is a defect of the scheduler.");
        }
    }

    private (Rejection Reason, string Detail)? Invalid(UpdateReport report, int staleness)
    {
        if (!report.IsFinite)
        {
            return (Rejection.NotFinite, "The update holds NaN or infinity; lower the local learning rate or clip gradients.");
        }

        if (!double.IsFinite(report.Examples) || report.Examples < 0 || report.LocalSteps <= 0)
        {
            return (Rejection.Malformed, $"An update needs examples ≥ 0 and at least one local step; this one tells {report.Examples} examples and {report.LocalSteps} steps.");
        }

        if (options.MaxStaleness >= 0 && staleness > options.MaxStaleness)
        {
            return (Rejection.Stale, $"Staleness {staleness} is above the bound {options.MaxStaleness}.");
        }

        return null;
    }

    private void Refuse(UpdateArrived e, Assignment? assignment)
    {
        ignored++;
        var (reason, detail) = (Rejection.Unknown, $"{e.Assignment} was never given out in this run.");
        if (assignment is not null)
        {
            (reason, detail) = (Rejection.NotYours, $"{e.Assignment} belongs to another client.");
        }
        else if (IsKnown(e.Client) && clients[e.Client.Value].LastAccepted == e.Assignment.Value)
        {
            (reason, detail) = (Rejection.Duplicate, $"The update of {e.Assignment} was accepted before; it counts once.");
        }
        else if (IsKnown(e.Client) && clients[e.Client.Value].LastEnded == e.Assignment.Value)
        {
            (reason, detail) = (Rejection.TooLate, $"{e.Assignment} had ended before its update came.");
        }
        else if (e.Assignment.Value < nextAssignment)
        {
            (reason, detail) = (Rejection.TooLate, $"{e.Assignment} ended long ago.");
        }

        effects.Add(new Rejected(e.Assignment, e.Client, null, Status == RunStatus.Finished && reason != Rejection.Duplicate ? Rejection.RunOver : reason, detail));
        if (e.Ready)
        {
            OnCheckIn(e.Client);
        }
    }

    private void CountNonFinite(Rejection reason)
    {
        nonFiniteInARow = reason == Rejection.NotFinite ? nonFiniteInARow + 1 : nonFiniteInARow;
        if (nonFiniteInARow >= options.DivergenceLimit)
        {
            EndSoon(FinishReason.Diverged, $"{nonFiniteInARow} updates in a row held NaN or infinity; lower the learning rate or clip gradients.");
        }
    }

    private void OnEvaluation(EvaluationArrived e)
    {
        if (double.IsNaN(e.Loss) || double.IsInfinity(e.Loss))
        {
            EndSoon(FinishReason.Diverged, $"The loss of version {e.Version} is not finite; lower the learning rates or clip gradients.");
            return;
        }

        firstLoss = double.IsNaN(firstLoss) ? e.Loss : firstLoss;
        var bound = options.DivergenceFactor * Math.Max(1, firstLoss);
        if (bound > 0 && e.Loss > bound)
        {
            EndSoon(
                FinishReason.Diverged,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The loss of version {e.Version} is {e.Loss:0.###}, more than {options.DivergenceFactor} times what it was at first ({firstLoss:0.###}); ")
                + "lower the learning rates or clip gradients, or set run.divergenceFactor to 0 to go on all the same.");
            return;
        }

        if (e.Accuracy > bestAccuracy)
        {
            (bestAccuracy, bestVersion, evaluationsSinceBest) = (e.Accuracy, e.Version, 0);
        }
        else
        {
            evaluationsSinceBest++;
        }

        if (options.Stop.TargetAccuracy > 0 && e.Accuracy >= options.Stop.TargetAccuracy)
        {
            EndSoon(FinishReason.TargetReached, $"Version {e.Version} reached the target accuracy {options.Stop.TargetAccuracy}.");
        }
        else if (options.Stop.Patience > 0 && evaluationsSinceBest >= options.Stop.Patience)
        {
            EndSoon(FinishReason.NoImprovement, $"No better accuracy in {evaluationsSinceBest} evaluations; the best is version {bestVersion}.");
        }
    }
}
