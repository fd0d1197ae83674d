using System.Threading.Channels;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;

namespace Federated.Shuffler.Http;

/// <summary>Opens the envelopes of requests that are here at the same time together, since eight together cost less than half of eight alone.</summary>
/// <remarks>Nobody is waited for: one that comes while nothing else is there is opened alone.</remarks>
internal sealed class EnvelopeOpener : IAsyncDisposable
{
    /// <summary>Of longer ones the cipher is what costs, and another core may take the next.</summary>
    private const int GroupBytes = 1 << 16;

    private readonly HpkePrivateKey key;
    private readonly Channel<Waiting> waiting = Channel.CreateUnbounded<Waiting>(); // Bounded by the bytes that the server takes in at once.
    private readonly Task[] workers;

    public EnvelopeOpener(HpkePrivateKey key)
    {
        this.key = key;
        workers = new Task[Environment.ProcessorCount];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = Task.Run(WorkAsync);
        }
    }

    /// <returns>The ticket and what is inside; null when it is no envelope for this key.</returns>
    public Task<(ReadOnlyMemory<byte> Ticket, ReadOnlyMemory<byte> Inner)?> OpenAsync(byte[] envelope)
    {
        var one = new Waiting(envelope);
        return waiting.Writer.TryWrite(one) ? one.Task : throw new OperationCanceledException("The shuffler is stopping.");
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await Task.WhenAll(workers).ConfigureAwait(false);
    }

    private async Task WorkAsync()
    {
        List<Waiting> group = new(Hpke.OpenedTogether);
        while (await waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            await Task.Yield(); // Behind the requests that are ready to be read: they come into the group.
            group.Clear();
            for (var bytes = 0; group.Count < Hpke.OpenedTogether && bytes < GroupBytes && waiting.Reader.TryRead(out var one); bytes += one.Envelope.Length)
            {
                group.Add(one);
            }

            Open(group);
        }
    }

    private void Open(List<Waiting> group)
    {
        try
        {
            var opened = new (ReadOnlyMemory<byte> Ticket, ReadOnlyMemory<byte> Inner)?[group.Count];
            ReportEnvelope.OpenEnvelopes(key, group.ConvertAll(one => one.Envelope).ToArray(), opened);
            for (var i = 0; i < opened.Length; i++)
            {
                group[i].SetResult(opened[i]);
            }
        }
        catch (Exception e)
        {
            foreach (var one in group)
            {
                one.TrySetException(e); // Their requests fail; the worker stays for the next.
            }
        }
    }

    private sealed class Waiting(byte[] envelope)
        : TaskCompletionSource<(ReadOnlyMemory<byte> Ticket, ReadOnlyMemory<byte> Inner)?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public byte[] Envelope => envelope;
    }
}
