namespace Federated.Client.Store;

/// <summary>What a client keeps from one start to the next. Whatever a method has stored when it returns survives a crash.</summary>
/// <remarks>One session at a time.</remarks>
public interface IClientStore : IDisposable
{
    /// <summary>Null before the first start.</summary>
    ClientIdentity? Identity { get; }

    void SaveIdentity(ClientIdentity identity);

    /// <summary>What belongs to one run.</summary>
    IRunStore OpenRun(string run);

    /// <summary>Models by digest.</summary>
    IModelCache Models { get; }
}
