using Federated.Client.Transport;
using Federated.Protocol;

namespace Federated.Client.Session;

/// <summary>
/// Repeats requests until they are answered: for ever while the coordinator is away or busy, with a new token when the old one is over, in
/// another version when the coordinator asks for it. What repeating cannot mend is thrown.
/// </summary>
internal sealed class Caller(ITransport transport, Authenticator authenticator, Backoff backoff, TimeProvider clock, IClientObserver observer)
{
    /// <summary>Most tokens fetched one after the other without a wait: a clock that is off or a broken coordinator must not become a storm.</summary>
    private const int TokenAttempts = 3;

    public ITransport Transport => transport;

    public Task CallAsync(string what, TimeSpan limit, Func<ITransport, CancellationToken, ValueTask> call, CancellationToken cancellation) =>
        CallAsync(
            what,
            limit,
            async (t, c) =>
            {
                await call(t, c);
                return true;
            },
            cancellation);

    /// <param name="what">Names the request, for whoever watches.</param>
    /// <param name="limit">How long one attempt may take; infinite for transfers, which watch themselves.</param>
    public async Task<TReply> CallAsync<TReply>(
        string what, TimeSpan limit, Func<ITransport, CancellationToken, ValueTask<TReply>> call, CancellationToken cancellation)
    {
        var tokens = 0;
        for (var failures = 0; ;)
        {
            Problem problem;
            using var timer = new CancellationTokenSource(limit, clock);
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellation);
            try
            {
                await authenticator.EnsureTokenAsync(attempt.Token);
                return await call(transport, attempt.Token);
            }
            catch (ClientException e) when (e.Problem is { } p)
            {
                problem = p;
                if (p is { Status: 401, NeedsEnrolment: false } && !transport.Authenticates && tokens < TokenAttempts)
                {
                    tokens++;
                    authenticator.Forget();
                    continue;
                }

                if (p.Type == Problem.ProtocolVersion && Agree(p))
                {
                    continue;
                }

                // A token that is over as soon as it is made: clocks are set right again, sooner or later.
                if (!p.IsTransient && p.Type != Problem.TokenExpired)
                {
                    throw Explained(e, p);
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                problem = new Problem(0, "", $"No answer within {limit.TotalSeconds:0} s.");
            }

            tokens = 0;
            var wait = backoff.After(++failures, problem.RetryAfter);
            observer.On(new Retrying(what, problem, wait));
            await Task.Delay(wait, clock, cancellation);
        }
    }

    /// <summary>Takes the highest version that both sides speak; false when there is none but the one in use.</summary>
    private bool Agree(Problem problem)
    {
        if (problem.Speaks is not { } speaks)
        {
            return false;
        }

        var common = Math.Min(speaks.Current, ProtocolVersion.Current);
        if (common < Math.Max(speaks.Oldest, ProtocolVersion.Oldest) || common == transport.Version)
        {
            return false;
        }

        transport.Version = common;
        return true;
    }

    private static ClientException Explained(ClientException e, Problem p) => p switch
    {
        { Type: Problem.ProtocolVersion } => new ClientException(
            $"The coordinator does not speak this client's protocol ({ProtocolVersion.Oldest} to {ProtocolVersion.Current}): {p.Detail} Update this client.", e) { Problem = p },
        { NeedsEnrolment: true } => new ClientException(
            $"The coordinator no longer takes this client: {p.Detail} Remove identity.json from its state folder and enrol again with a new token.", e) { Problem = p },
        _ => e,
    };
}
