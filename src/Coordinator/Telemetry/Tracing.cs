using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Federated.Protocol;

namespace Federated.Coordinator.Telemetry;

/// <summary>
/// One trace per assignment, from its check-in to the version that its update became part of. Its id follows from run and assignment, so
/// that it goes on across restarts and nothing has to be kept.
/// </summary>
public static class Tracing
{
    public const string SourceName = "Federated.Coordinator";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The trace of an assignment.</summary>
    public static ActivityContext ContextOf(string run, AssignmentId assignment)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        var text = Encoding.UTF8.GetBytes(run);
        Span<byte> input = stackalloc byte[text.Length + sizeof(long)];
        text.CopyTo(input);
        BinaryPrimitives.WriteInt64LittleEndian(input[text.Length..], assignment.Value);
        SHA256.HashData(input, digest);
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(digest[..16]), ActivitySpanId.CreateFromBytes(digest[16..24]), ActivityTraceFlags.Recorded, isRemote: true);
    }

    internal static void Granted(string run, Assignment assignment, string client)
    {
        if (!Source.HasListeners())
        {
            return;
        }

        using var activity = Source.StartActivity("check-in", ActivityKind.Server, ContextOf(run, assignment.Id));
        Tag(activity, run, assignment.Id)?.SetTag("federated.client", client).SetTag("federated.base_version", assignment.BaseVersion);
    }

    internal static Activity? Update(string run, AssignmentId assignment, string client) => Source.HasListeners()
        ? Tag(Source.StartActivity("update", ActivityKind.Server, ContextOf(run, assignment)), run, assignment)?.SetTag("federated.client", client)
        : null;

    /// <summary>The publish of a version, in the trace of each update that is part of it.</summary>
    internal static void Published(string run, int version, IReadOnlyList<AssignmentId> updates)
    {
        if (!Source.HasListeners())
        {
            return;
        }

        foreach (var update in updates)
        {
            using var activity = Source.StartActivity("publish", ActivityKind.Internal, ContextOf(run, update));
            Tag(activity, run, update)?.SetTag("federated.version", version).SetTag("federated.updates", updates.Count);
        }
    }

    private static Activity? Tag(Activity? activity, string run, AssignmentId assignment) =>
        activity?.SetTag("federated.run", run).SetTag("federated.assignment", assignment.Value.ToString(CultureInfo.InvariantCulture));
}
