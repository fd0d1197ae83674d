namespace Federated.Coordinator.Runs;

/// <summary>One client as the machine keeps it: 72 B, so that a million of them are cheap.</summary>
internal struct ClientRecord
{
    public const long None = -1;

    public double Examples;
    public double SecondsPerStep;
    public double LastDispatchedAt;

    /// <summary>The assignment in flight, or <see cref="None"/>.</summary>
    public long InFlight;

    /// <summary>The last assignment that ended, or <see cref="None"/>; a repeated upload of it is answered by how it ended.</summary>
    public long LastEnded;

    /// <summary>The last assignment whose update was accepted, or <see cref="None"/>: a client that got no answer may have been given the next one and lost it before it asks again.</summary>
    public long LastAccepted;

    public int Dispatched;
    public int AcceptedUpdates;

    /// <summary>The version whose aggregate last had an update of this client; 0 before the first.</summary>
    public int LastIncluded;

    /// <summary>Checked in, but held back by a pause or a cool-down.</summary>
    public bool HeldBack;

    public bool Gone;

    public static ClientRecord Joined(double examples) =>
        new() { Examples = examples, InFlight = None, LastEnded = None, LastAccepted = None, LastDispatchedAt = double.NegativeInfinity };

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(Examples);
        writer.Write(SecondsPerStep);
        writer.Write(LastDispatchedAt);
        writer.Write(InFlight);
        writer.Write(LastEnded);
        writer.Write(LastAccepted);
        writer.Write(Dispatched);
        writer.Write(AcceptedUpdates);
        writer.Write(LastIncluded);
        writer.Write(HeldBack);
        writer.Write(Gone);
    }

    public static ClientRecord Load(BinaryReader reader) => new()
    {
        Examples = reader.ReadDouble(),
        SecondsPerStep = reader.ReadDouble(),
        LastDispatchedAt = reader.ReadDouble(),
        InFlight = reader.ReadInt64(),
        LastEnded = reader.ReadInt64(),
        LastAccepted = reader.ReadInt64(),
        Dispatched = reader.ReadInt32(),
        AcceptedUpdates = reader.ReadInt32(),
        LastIncluded = reader.ReadInt32(),
        HeldBack = reader.ReadBoolean(),
        Gone = reader.ReadBoolean(),
    };
}
