using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Federated.EndToEnd.Adversary;

/// <summary>
/// A relay before a service, at its socket: every byte that goes in or out is kept, with when it came and over which connection. It changes none.
/// </summary>
/// <param name="target">The service.</param>
/// <param name="order">One for all taps of a test, so that what they saw has one order.</param>
/// <param name="oneByOne">
/// Lets a request in when the one before has its answer: what has come first is then also what the service took first, and whoever watches knows the order exactly.
/// </param>
internal sealed class WireTap(Uri target, WireTap.Clock order, bool oneByOne) : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly ConcurrentQueue<Connection> connections = [];
    private readonly ConcurrentBag<Task> work = [];
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>Where others reach the service now.</summary>
    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    public static WireTap Start(Uri target, Clock order, bool oneByOne)
    {
        var tap = new WireTap(target, order, oneByOne);
        tap.listener.Start();
        tap.work.Add(tap.AcceptAsync());
        return tap;
    }

    /// <summary>What has passed so far, as HTTP.</summary>
    public List<HttpExchange> Read() => [.. connections.SelectMany(c => HttpTranscript.Read(c.Port, c.Chunks(fromClient: true), c.Chunks(fromClient: false)))];

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await Task.WhenAll(work);
        end.Dispose();
        turn.Dispose();
        listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(end.Token);
                work.Add(RelayAsync(client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, target.Port, end.Token);
            var connection = new Connection(((IPEndPoint)near.Client.RemoteEndPoint!).Port);
            connections.Enqueue(connection);
            var (nearStream, farStream) = (near.GetStream(), far.GetStream());
            await Task.WhenAll(PumpAsync(nearStream, farStream, connection, fromClient: true), PumpAsync(farStream, nearStream, connection, fromClient: false));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or InvalidOperationException)
        {
            // One of the two is gone, at whatever instant, or the test is over.
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, Connection connection, bool fromClient)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (await from.ReadAsync(buffer, end.Token) is > 0 and var count)
            {
                if (oneByOne && fromClient && !connection.HasTurn)
                {
                    await turn.WaitAsync(end.Token);
                    connection.HasTurn = true;
                }

                connection.Add(fromClient, new Chunk(order.Next(), TimeProvider.System.GetTimestamp(), buffer[..count]));
                if (!fromClient)
                {
                    YieldTurn(connection);
                }

                await to.WriteAsync(buffer.AsMemory(0, count), end.Token);
            }
        }
        finally
        {
            YieldTurn(connection);
            to.Socket.Shutdown(SocketShutdown.Send);
        }
    }

    private void YieldTurn(Connection connection)
    {
        if (connection.HasTurn)
        {
            connection.HasTurn = false;
            turn.Release();
        }
    }

    /// <summary>Counts what is seen.</summary>
    internal sealed class Clock
    {
        private long last;

        public long Next() => Interlocked.Increment(ref last);
    }

    /// <param name="Order">Its place among all that was seen.</param>
    /// <param name="Time">In ticks of the system's timer.</param>
    internal sealed record Chunk(long Order, long Time, byte[] Bytes);

    private sealed class Connection(int port)
    {
        private readonly List<Chunk> sent = [], received = [];

        public int Port => port;

        /// <summary>Set by the side that sends, taken back by the side that answers.</summary>
        public volatile bool HasTurn;

        public void Add(bool fromClient, Chunk chunk)
        {
            lock (sent)
            {
                (fromClient ? sent : received).Add(chunk);
            }
        }

        public List<Chunk> Chunks(bool fromClient)
        {
            lock (sent)
            {
                return [.. fromClient ? sent : received];
            }
        }
    }
}
