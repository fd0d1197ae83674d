using Federated.Coordinator.Hosting;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Http;

/// <summary>From what the host says to what the client reads.</summary>
public static class WireReplies
{
    /// <returns>Null when the host could not ask the run.</returns>
    public static CheckInReply? Of(CheckInResult result, RunParts parts) => result switch
    {
        Granted granted => new CheckInReply { Assignment = Of(granted, parts) },
        EvaluationWanted wanted => new CheckInReply { Evaluation = new EvaluationMessage(wanted.Version, wanted.Model, parts.Training) },
        Waiting waiting => new CheckInReply { Wait = new WaitMessage(waiting.Reason.ToString(), waiting.RetryAfter.TotalSeconds) },
        RunOver over => new CheckInReply { Over = new OverMessage(over.Detail.Length > 0 ? over.Detail : Spelling.Of(over.Reason), over.FinalVersion) },
        _ => null,
    };

    /// <summary>A next assignment is an extra: what cannot be asked now is left out, and the client checks in.</summary>
    public static UpdateOutcomeMessage Taken(UpdateTaken taken, RunParts parts) => new(true, "", "", NextOf(taken.Next, parts));

    /// <summary>What a client is told of an update that was refused.</summary>
    public static UpdateOutcomeMessage Refused(UpdateRefused refused, RunParts parts) =>
        new(false, Spelling.Of(refused.Reason), refused.Detail, NextOf(refused.Next, parts));

    private static CheckInReply? NextOf(CheckInResult? next, RunParts parts) => next is null ? null : Of(next, parts);

    private static AssignmentMessage Of(Granted granted, RunParts parts)
    {
        var (assignment, version, terms) = (granted.Assignment, granted.Base, granted.Terms);
        return new AssignmentMessage(
            assignment.Id.Value,
            assignment.BaseVersion,
            assignment.Work.Steps,
            assignment.Work.Epochs,
            version.Model,
            version.Extras,
            parts.Training,
            parts.Codec,
            terms.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
            terms.RateFactor)
        {
            SecondsLeft = double.IsFinite(granted.SecondsLeft) ? granted.SecondsLeft : null,
            Privacy = terms.Privacy,
        };
    }

    /// <summary>From what a client declares to what the run is told.</summary>
    public static UpdateReport ReportOf(UpdateDeclaration declaration, double uploadSeconds, long bytesDown) => new()
    {
        Examples = declaration.Examples,
        LocalSteps = declaration.LocalSteps,
        StepWeight = declaration.StepWeight,
        TrainingLoss = declaration.TrainingLoss ?? double.NaN,
        Delta = declaration.Delta,
        Extras = System.Collections.Immutable.ImmutableDictionary.CreateRange(declaration.Extras),
        BytesUp = declaration.Delta.Length + declaration.Extras.Values.Sum(e => e.Length),
        BytesDown = bytesDown,
        Seconds = (Sane(declaration.DownloadSeconds), Sane(declaration.TrainSeconds), uploadSeconds),
    };

    private static double Sane(double seconds) => double.IsFinite(seconds) ? Math.Max(0, seconds) : 0;
}
