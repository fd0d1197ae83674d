using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Serialization;

[GenerateSerializer, Immutable, Alias("fed.posted")]
internal struct PostedSurrogate
{
    [Id(0)] public HostOutcome Outcome;
    [Id(1)] public byte[] Effects;
    [Id(2)] public TimeSpan RetryAfter;
}

[RegisterConverter]
internal sealed class PostedConverter : IConverter<Posted, PostedSurrogate>
{
    public Posted ConvertFromSurrogate(in PostedSurrogate surrogate) => new(surrogate.Outcome, EffectForm.Read(surrogate.Effects), surrogate.RetryAfter);

    public PostedSurrogate ConvertToSurrogate(in Posted value) =>
        new() { Outcome = value.Outcome, Effects = EffectForm.Write(value.Effects), RetryAfter = value.RetryAfter };
}

[GenerateSerializer, Immutable, Alias("fed.granted")]
internal struct GrantedSurrogate
{
    [Id(0)] public Assignment Assignment;
    [Id(1)] public VersionBlobs Base;
    [Id(2)] public AssignmentTerms Terms;
    [Id(3)] public double SecondsLeft;
}

[RegisterConverter]
internal sealed class GrantedConverter : IConverter<Granted, GrantedSurrogate>
{
    public Granted ConvertFromSurrogate(in GrantedSurrogate surrogate) => new(surrogate.Assignment, surrogate.Base, surrogate.Terms, surrogate.SecondsLeft);

    public GrantedSurrogate ConvertToSurrogate(in Granted value) =>
        new() { Assignment = value.Assignment, Base = value.Base, Terms = value.Terms, SecondsLeft = value.SecondsLeft };
}

[GenerateSerializer, Immutable, Alias("fed.evaluation-wanted")]
internal struct EvaluationWantedSurrogate
{
    [Id(0)] public int Version;
    [Id(1)] public BlobReference Model;
}

[RegisterConverter]
internal sealed class EvaluationWantedConverter : IConverter<EvaluationWanted, EvaluationWantedSurrogate>
{
    public EvaluationWanted ConvertFromSurrogate(in EvaluationWantedSurrogate surrogate) => new(surrogate.Version, surrogate.Model);

    public EvaluationWantedSurrogate ConvertToSurrogate(in EvaluationWanted value) => new() { Version = value.Version, Model = value.Model };
}

[GenerateSerializer, Immutable, Alias("fed.waiting")]
internal struct WaitingSurrogate
{
    [Id(0)] public WaitReason Reason;
    [Id(1)] public TimeSpan RetryAfter;
}

[RegisterConverter]
internal sealed class WaitingConverter : IConverter<Waiting, WaitingSurrogate>
{
    public Waiting ConvertFromSurrogate(in WaitingSurrogate surrogate) => new(surrogate.Reason, surrogate.RetryAfter);

    public WaitingSurrogate ConvertToSurrogate(in Waiting value) => new() { Reason = value.Reason, RetryAfter = value.RetryAfter };
}

[GenerateSerializer, Immutable, Alias("fed.run-over")]
internal struct RunOverSurrogate
{
    [Id(0)] public FinishReason Reason;
    [Id(1)] public string Detail;
    [Id(2)] public int FinalVersion;
}

[RegisterConverter]
internal sealed class RunOverConverter : IConverter<RunOver, RunOverSurrogate>
{
    public RunOver ConvertFromSurrogate(in RunOverSurrogate surrogate) => new(surrogate.Reason, surrogate.Detail, surrogate.FinalVersion);

    public RunOverSurrogate ConvertToSurrogate(in RunOver value) => new() { Reason = value.Reason, Detail = value.Detail, FinalVersion = value.FinalVersion };
}

[GenerateSerializer, Immutable, Alias("fed.not-asked")]
internal struct NotAskedSurrogate
{
    [Id(0)] public HostOutcome Outcome;
    [Id(1)] public TimeSpan RetryAfter;
}

[RegisterConverter]
internal sealed class NotAskedConverter : IConverter<NotAsked, NotAskedSurrogate>
{
    public NotAsked ConvertFromSurrogate(in NotAskedSurrogate surrogate) => new(surrogate.Outcome, surrogate.RetryAfter);

    public NotAskedSurrogate ConvertToSurrogate(in NotAsked value) => new() { Outcome = value.Outcome, RetryAfter = value.RetryAfter };
}

[GenerateSerializer, Immutable, Alias("fed.submission")]
internal struct UpdateSubmissionSurrogate
{
    [Id(0)] public AssignmentId Assignment;
    [Id(1)] public ClientId Client;
    [Id(2)] public UpdateReport Report;
    [Id(3)] public bool Ready;
    [Id(4)] public BlobReference[]? InlineReferences;
    [Id(5)] public ReadOnlyMemory<byte>[]? InlineBytes;
    [Id(6)] public bool IsChecked;
}

[RegisterConverter]
internal sealed class UpdateSubmissionConverter : IConverter<UpdateSubmission, UpdateSubmissionSurrogate>
{
    public UpdateSubmission ConvertFromSurrogate(in UpdateSubmissionSurrogate surrogate) =>
        new(surrogate.Assignment, surrogate.Client, surrogate.Report, surrogate.Ready)
        {
            Inline = surrogate is { InlineReferences: { } references, InlineBytes: { } bytes }
                ? [.. references.Zip(bytes, (reference, content) => new InlineBlob(reference, content))]
                : [],
            IsChecked = surrogate.IsChecked,
        };

    public UpdateSubmissionSurrogate ConvertToSurrogate(in UpdateSubmission value) => new()
    {
        Assignment = value.Assignment,
        Client = value.Client,
        Report = value.Report,
        Ready = value.Ready,
        InlineReferences = value.Inline.IsEmpty ? null : [.. value.Inline.Select(i => i.Reference)],
        InlineBytes = value.Inline.IsEmpty ? null : [.. value.Inline.Select(i => i.Bytes)],
        IsChecked = value.IsChecked,
    };
}

[GenerateSerializer, Immutable, Alias("fed.update-taken")]
internal struct UpdateTakenSurrogate
{
    [Id(0)] public CheckInResult? Next;
}

[RegisterConverter]
internal sealed class UpdateTakenConverter : IConverter<UpdateTaken, UpdateTakenSurrogate>
{
    public UpdateTaken ConvertFromSurrogate(in UpdateTakenSurrogate surrogate) => new(surrogate.Next);

    public UpdateTakenSurrogate ConvertToSurrogate(in UpdateTaken value) => new() { Next = value.Next };
}

[GenerateSerializer, Immutable, Alias("fed.update-refused")]
internal struct UpdateRefusedSurrogate
{
    [Id(0)] public Rejection Reason;
    [Id(1)] public string Detail;
    [Id(2)] public CheckInResult? Next;
}

[RegisterConverter]
internal sealed class UpdateRefusedConverter : IConverter<UpdateRefused, UpdateRefusedSurrogate>
{
    public UpdateRefused ConvertFromSurrogate(in UpdateRefusedSurrogate surrogate) => new(surrogate.Reason, surrogate.Detail, surrogate.Next);

    public UpdateRefusedSurrogate ConvertToSurrogate(in UpdateRefused value) => new() { Reason = value.Reason, Detail = value.Detail, Next = value.Next };
}

[GenerateSerializer, Immutable, Alias("fed.blobs-missing")]
internal struct BlobsMissingSurrogate
{
    [Id(0)] public BlobReference[] Blobs;
}

[RegisterConverter]
internal sealed class BlobsMissingConverter : IConverter<BlobsMissing, BlobsMissingSurrogate>
{
    public BlobsMissing ConvertFromSurrogate(in BlobsMissingSurrogate surrogate) => new([.. surrogate.Blobs]);

    public BlobsMissingSurrogate ConvertToSurrogate(in BlobsMissing value) => new() { Blobs = [.. value.Blobs] };
}

[GenerateSerializer, Immutable, Alias("fed.not-an-update")]
internal struct NotAnUpdateSurrogate
{
    [Id(0)] public string Problem;
}

[RegisterConverter]
internal sealed class NotAnUpdateConverter : IConverter<NotAnUpdate, NotAnUpdateSurrogate>
{
    public NotAnUpdate ConvertFromSurrogate(in NotAnUpdateSurrogate surrogate) => new(surrogate.Problem);

    public NotAnUpdateSurrogate ConvertToSurrogate(in NotAnUpdate value) => new() { Problem = value.Problem };
}

[GenerateSerializer, Immutable, Alias("fed.update-not-asked")]
internal struct UpdateNotAskedSurrogate
{
    [Id(0)] public HostOutcome Outcome;
    [Id(1)] public TimeSpan RetryAfter;
}

[RegisterConverter]
internal sealed class UpdateNotAskedConverter : IConverter<UpdateNotAsked, UpdateNotAskedSurrogate>
{
    public UpdateNotAsked ConvertFromSurrogate(in UpdateNotAskedSurrogate surrogate) => new(surrogate.Outcome, surrogate.RetryAfter);

    public UpdateNotAskedSurrogate ConvertToSurrogate(in UpdateNotAsked value) => new() { Outcome = value.Outcome, RetryAfter = value.RetryAfter };
}

[GenerateSerializer, Immutable, Alias("fed.group-taken")]
internal struct GroupTakenSurrogate
{
    [Id(0)] public byte[] Members;
    [Id(1)] public bool Again;
}

[RegisterConverter]
internal sealed class GroupTakenConverter : IConverter<GroupTaken, GroupTakenSurrogate>
{
    public GroupTaken ConvertFromSurrogate(in GroupTakenSurrogate surrogate)
    {
        using var reader = new BinaryReader(new MemoryStream(surrogate.Members, writable: false));
        return new GroupTaken(reader.ReadOutcomes(), surrogate.Again);
    }

    public GroupTakenSurrogate ConvertToSurrogate(in GroupTaken value)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.WriteOutcomes(value.Members);
        writer.Flush();
        return new GroupTakenSurrogate { Members = bytes.ToArray(), Again = value.Again };
    }
}

[GenerateSerializer, Immutable, Alias("fed.group-unsound")]
internal struct GroupUnsoundSurrogate
{
    [Id(0)] public AssignmentId[] Assignments;
    [Id(1)] public string[] Problems;
    [Id(2)] public BlobReference[][] Missing;
}

[RegisterConverter]
internal sealed class GroupUnsoundConverter : IConverter<GroupUnsound, GroupUnsoundSurrogate>
{
    public GroupUnsound ConvertFromSurrogate(in GroupUnsoundSurrogate surrogate)
    {
        var (assignments, problems, missing) = (surrogate.Assignments, surrogate.Problems, surrogate.Missing);
        return new GroupUnsound([.. assignments.Select((assignment, i) => new NotInGroup(assignment, problems[i], [.. missing[i]]))]);
    }

    public GroupUnsoundSurrogate ConvertToSurrogate(in GroupUnsound value) => new()
    {
        Assignments = [.. value.Members.Select(m => m.Assignment)],
        Problems = [.. value.Members.Select(m => m.Problem)],
        Missing = [.. value.Members.Select(m => m.Missing.ToArray())],
    };
}

[GenerateSerializer, Immutable, Alias("fed.group-not-asked")]
internal struct GroupNotAskedSurrogate
{
    [Id(0)] public HostOutcome Outcome;
    [Id(1)] public TimeSpan RetryAfter;
}

[RegisterConverter]
internal sealed class GroupNotAskedConverter : IConverter<GroupNotAsked, GroupNotAskedSurrogate>
{
    public GroupNotAsked ConvertFromSurrogate(in GroupNotAskedSurrogate surrogate) => new(surrogate.Outcome, surrogate.RetryAfter);

    public GroupNotAskedSurrogate ConvertToSurrogate(in GroupNotAsked value) => new() { Outcome = value.Outcome, RetryAfter = value.RetryAfter };
}

[GenerateSerializer, Immutable, Alias("fed.assignment-state")]
internal struct AssignmentStateSurrogate
{
    [Id(0)] public AssignmentStanding Standing;
    [Id(1)] public double SecondsLeft;
}

[RegisterConverter]
internal sealed class AssignmentStateConverter : IConverter<AssignmentState, AssignmentStateSurrogate>
{
    public AssignmentState ConvertFromSurrogate(in AssignmentStateSurrogate surrogate) => new(surrogate.Standing, surrogate.SecondsLeft);

    public AssignmentStateSurrogate ConvertToSurrogate(in AssignmentState value) => new() { Standing = value.Standing, SecondsLeft = value.SecondsLeft };
}
