using System.Net;
using System.Net.Sockets;

namespace Federated.EndToEnd.Serving;

/// <summary>Ports of this machine that are the caller's for as long as the tests run, whether somebody listens there or not.</summary>
/// <remarks>
/// A port that the system gave out and took back may be the next connection's own end before anybody listens on it. These are below those that systems
/// give out by themselves (from 32768 on Linux, from 49152 elsewhere); none is given twice, and the UDP port of the same number, held until the process
/// ends, tells the tests of other processes that it is taken.
/// </remarks>
internal static class Ports
{
    private const int First = 20_000, Count = 12_000;

    private static readonly List<Socket> Held = [];

    private static int next = Environment.ProcessId * 101 % Count;

    public static int Take()
    {
        lock (Held)
        {
            for (var tries = 0; tries < Count; tries++)
            {
                var port = First + (next++ % Count);
                var mark = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                try
                {
                    mark.Bind(new IPEndPoint(IPAddress.Loopback, port));
                    using var listener = new TcpListener(IPAddress.Any, port);
                    listener.Start();
                    Held.Add(mark);
                    return port;
                }
                catch (SocketException)
                {
                    mark.Dispose();
                }
            }
        }

        throw new InvalidOperationException($"No port from {First} on is free.");
    }
}
