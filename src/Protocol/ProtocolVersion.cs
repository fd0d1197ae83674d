namespace Federated.Protocol;

/// <summary>The version of the wire between clients and coordinator.</summary>
public static class ProtocolVersion
{
    /// <summary>What this build speaks.</summary>
    public const int Current = 1;

    /// <summary>The oldest version that this build still understands.</summary>
    public const int Oldest = 1;

    /// <summary>Header that every client request carries; a request without it, or with a version that is not spoken, is refused.</summary>
    public const string Header = "Federated-Protocol";

    public static bool IsSpoken(int version) => version is >= Oldest and <= Current;
}
