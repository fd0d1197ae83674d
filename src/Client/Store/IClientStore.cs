using Federated.Client.Privacy;

namespace Federated.Client.Store;

/// <summary>What a client keeps from one start to the next. Whatever a method has stored when it returns survives a crash.</summary>
/// <remarks>One session at a time.</remarks>
public interface IClientStore : IDisposable
{
    /// <summary>Null before the first start.</summary>
    ClientIdentity? Identity { get; }

    void SaveIdentity(ClientIdentity identity);

    /// <summary>What the client has spent, by its own count; empty before anything was.</summary>
    ClientLedger Ledger { get; }

    void SaveLedger(ClientLedger ledger);

    /// <summary>What belongs to one run.</summary>
    IRunStore OpenRun(string run);

    /// <summary>Models by digest.</summary>
    IModelCache Models { get; }
}
