using Federated.Client.Privacy;
using Federated.Client.Store;
using Federated.Protocol;

namespace Federated.Client.Tests.Fakes;

/// <summary>The power goes.</summary>
internal sealed class PowerCutException : Exception;

/// <summary>A store under which the power goes before or after its n-th change.</summary>
internal sealed class CrashingStore(IClientStore inner) : IClientStore
{
    /// <summary>Changes until the power goes, counting before and after each; negative for never.</summary>
    public int Countdown { get; set; } = -1;

    public ClientIdentity? Identity => inner.Identity;

    public IModelCache Models => inner.Models;

    public void SaveIdentity(ClientIdentity identity) => Change(() =>
    {
        inner.SaveIdentity(identity);
        return true;
    });

    public ClientLedger Ledger => inner.Ledger;

    public void SaveLedger(ClientLedger ledger) => Change(() =>
    {
        inner.SaveLedger(ledger);
        return true;
    });

    public IRunStore OpenRun(string run) => new CrashingRun(this, inner.OpenRun(run));

    public void Dispose()
    {
    }

    private T Change<T>(Func<T> change)
    {
        Tick();
        var result = change();
        Tick();
        return result;
    }

    private void Tick()
    {
        if (Countdown >= 0 && Countdown-- == 0)
        {
            throw new PowerCutException();
        }
    }

    private sealed class CrashingRun(CrashingStore owner, IRunStore inner) : IRunStore
    {
        public PendingUpdate? Pending => inner.Pending;

        public BlobReference WritePart(Action<Stream> write) => owner.Change(() => inner.WritePart(write));

        public Stream OpenPart(BlobReference part) => inner.OpenPart(part);

        public Stream? OpenMemory() => inner.OpenMemory();

        public void Stage(PendingUpdate pending, Action<Stream>? writeMemory) => owner.Change(() =>
        {
            inner.Stage(pending, writeMemory);
            return true;
        });

        public void Accept() => owner.Change(() =>
        {
            inner.Accept();
            return true;
        });

        public void Discard() => owner.Change(() =>
        {
            inner.Discard();
            return true;
        });
    }
}
