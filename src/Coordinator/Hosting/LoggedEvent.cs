using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>One record of a run's log: an event, and what belongs to it that the machine does not look at.</summary>
/// <param name="Member">With <see cref="ClientJoined"/>: what the client is called outside of this run; empty otherwise.</param>
/// <param name="Inline">With <see cref="UpdateArrived"/> or <see cref="GroupArrived"/>: blobs small enough to travel inside the record, so that one sync covers both.</param>
public readonly record struct LoggedEvent(RunEvent Event, string Member, IReadOnlyList<InlineBlob> Inline)
{
    /// <summary>First byte of a record: the form below.</summary>
    private const byte Form = 0xF1;

    private readonly IReadOnlyList<ClientScore>? scores;

    public LoggedEvent(RunEvent runEvent)
        : this(runEvent, "", [])
    {
    }

    /// <summary>With <see cref="EvaluationArrived"/>: what the clients reported that it was made of; empty otherwise.</summary>
    public IReadOnlyList<ClientScore> Scores
    {
        get => scores ?? [];
        init => scores = value;
    }

    /// <summary>The update of an assignment that this event brings, alone or in a group; null when it brings none.</summary>
    public UpdateArrived? ArrivalOf(AssignmentId assignment) => Event switch
    {
        UpdateArrived arrived when arrived.Assignment == assignment => arrived,
        GroupArrived group => group.Find(assignment),
        _ => null,
    };

    internal void Write(BinaryWriter writer)
    {
        writer.Write(Form);
        writer.WriteEvent(Event);
        writer.Write(Member);
        writer.Write(Inline.Count);
        foreach (var (reference, bytes) in Inline)
        {
            writer.WriteBlob(reference);
            writer.Write(bytes.Span);
        }

        writer.Write(Scores.Count);
        foreach (var score in Scores)
        {
            score.Write(writer);
        }
    }

    /// <exception cref="CoordinatorException">The record is of another form.</exception>
    internal static LoggedEvent Read(ReadOnlyMemory<byte> record)
    {
        using var reader = new BinaryReader(new MemoryStream(record.ToArray(), writable: false));
        if (reader.ReadByte() is var form && form != Form)
        {
            throw new CoordinatorException($"The log holds a record of form {form:x2}, which this build does not know; use the build that wrote it or a newer one.");
        }

        var e = reader.ReadEvent();
        var member = reader.ReadString();
        var count = reader.ReadInt32();
        var inline = count == 0 ? [] : new InlineBlob[count];
        for (var i = 0; i < count; i++)
        {
            var reference = reader.ReadBlob()!;
            inline[i] = new InlineBlob(reference, reader.ReadBytes((int)reference.Length));
        }

        return new LoggedEvent(e, member, inline) { Scores = ClientScore.ReadAll(reader) };
    }
}

/// <summary>A small blob with its bytes; the digest has been checked.</summary>
public readonly record struct InlineBlob(BlobReference Reference, ReadOnlyMemory<byte> Bytes);
