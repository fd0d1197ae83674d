using System.Collections.Immutable;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Serialization;

// Members are numbered once and for all: silos of two builds talk to each other while a cluster is upgraded.

[GenerateSerializer, Immutable, Alias("fed.client-id")]
internal struct ClientIdSurrogate
{
    [Id(0)] public int Value;
}

[RegisterConverter]
internal sealed class ClientIdConverter : IConverter<ClientId, ClientIdSurrogate>
{
    public ClientId ConvertFromSurrogate(in ClientIdSurrogate surrogate) => new(surrogate.Value);

    public ClientIdSurrogate ConvertToSurrogate(in ClientId value) => new() { Value = value.Value };
}

[GenerateSerializer, Immutable, Alias("fed.assignment-id")]
internal struct AssignmentIdSurrogate
{
    [Id(0)] public long Value;
}

[RegisterConverter]
internal sealed class AssignmentIdConverter : IConverter<AssignmentId, AssignmentIdSurrogate>
{
    public AssignmentId ConvertFromSurrogate(in AssignmentIdSurrogate surrogate) => new(surrogate.Value);

    public AssignmentIdSurrogate ConvertToSurrogate(in AssignmentId value) => new() { Value = value.Value };
}

[GenerateSerializer, Immutable, Alias("fed.blob")]
internal struct BlobReferenceSurrogate
{
    [Id(0)] public string Sha256;
    [Id(1)] public long Length;
}

[RegisterConverter]
internal sealed class BlobReferenceConverter : IConverter<BlobReference, BlobReferenceSurrogate>
{
    public BlobReference ConvertFromSurrogate(in BlobReferenceSurrogate surrogate) => new(surrogate.Sha256, surrogate.Length);

    public BlobReferenceSurrogate ConvertToSurrogate(in BlobReference value) => new() { Sha256 = value.Sha256, Length = value.Length };
}

[GenerateSerializer, Immutable, Alias("fed.version")]
internal struct VersionBlobsSurrogate
{
    [Id(0)] public BlobReference Model;
    [Id(1)] public Dictionary<string, BlobReference>? Extras;
    [Id(2)] public BlobReference Deployed;
}

[RegisterConverter]
internal sealed class VersionBlobsConverter : IConverter<VersionBlobs, VersionBlobsSurrogate>
{
    public VersionBlobs ConvertFromSurrogate(in VersionBlobsSurrogate surrogate) => new(
        surrogate.Model,
        surrogate.Extras is { } extras
            ? extras.ToImmutableSortedDictionary(StringComparer.Ordinal)
            : ImmutableSortedDictionary<string, BlobReference>.Empty.WithComparers(StringComparer.Ordinal),
        surrogate.Deployed);

    public VersionBlobsSurrogate ConvertToSurrogate(in VersionBlobs value) => new()
    {
        Model = value.Model,
        Extras = value.Extras.IsEmpty ? null : value.Extras.ToDictionary(StringComparer.Ordinal),
        Deployed = value.Deployed,
    };
}

/// <summary>Types that the log or a snapshot has a form for travel in it.</summary>
[GenerateSerializer, Immutable, Alias("fed.assignment")]
internal struct AssignmentSurrogate
{
    [Id(0)] public byte[] Form;
}

[RegisterConverter]
internal sealed class AssignmentConverter : IConverter<Assignment, AssignmentSurrogate>
{
    public Assignment ConvertFromSurrogate(in AssignmentSurrogate surrogate) => Forms.Read(surrogate.Form, SnapshotForm.ReadAssignment);

    public AssignmentSurrogate ConvertToSurrogate(in Assignment value) => new() { Form = Forms.Write(value, SnapshotForm.WriteAssignment) };
}

[GenerateSerializer, Immutable, Alias("fed.report")]
internal struct UpdateReportSurrogate
{
    [Id(0)] public byte[] Form;
}

[RegisterConverter]
internal sealed class UpdateReportConverter : IConverter<UpdateReport, UpdateReportSurrogate>
{
    public UpdateReport ConvertFromSurrogate(in UpdateReportSurrogate surrogate) => Forms.Read(surrogate.Form, SnapshotForm.ReadReport);

    public UpdateReportSurrogate ConvertToSurrogate(in UpdateReport value) => new() { Form = Forms.Write(value, SnapshotForm.WriteReport) };
}

[GenerateSerializer, Immutable, Alias("fed.terms")]
internal struct AssignmentTermsSurrogate
{
    [Id(0)] public ulong Seed;
    [Id(1)] public double RateFactor;
    [Id(2)] public string? Privacy;
}

[RegisterConverter]
internal sealed class AssignmentTermsConverter : IConverter<AssignmentTerms, AssignmentTermsSurrogate>
{
    public AssignmentTerms ConvertFromSurrogate(in AssignmentTermsSurrogate surrogate) =>
        new(surrogate.Seed, surrogate.RateFactor, surrogate.Privacy is { } json ? JsonElement.Parse(json) : null);

    public AssignmentTermsSurrogate ConvertToSurrogate(in AssignmentTerms value) =>
        new() { Seed = value.Seed, RateFactor = value.RateFactor, Privacy = value.Privacy?.GetRawText() };
}

[GenerateSerializer, Immutable, Alias("fed.wait-reason")]
internal struct WaitReasonSurrogate
{
    [Id(0)] public WaitKind Kind;
    [Id(1)] public int Have;
    [Id(2)] public int Need;
    [Id(3)] public double Until;
}

[RegisterConverter]
internal sealed class WaitReasonConverter : IConverter<WaitReason, WaitReasonSurrogate>
{
    public WaitReason ConvertFromSurrogate(in WaitReasonSurrogate surrogate) => new(surrogate.Kind, surrogate.Have, surrogate.Need, surrogate.Until);

    public WaitReasonSurrogate ConvertToSurrogate(in WaitReason value) => new() { Kind = value.Kind, Have = value.Have, Need = value.Need, Until = value.Until };
}

internal static class Forms
{
    public static byte[] Write<T>(T value, Action<BinaryWriter, T> write)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        write(writer, value);
        writer.Flush();
        return bytes.ToArray();
    }

    public static T Read<T>(byte[] form, Func<BinaryReader, T> read)
    {
        using var reader = new BinaryReader(new MemoryStream(form, writable: false));
        return read(reader);
    }
}
