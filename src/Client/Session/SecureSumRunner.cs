using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>Takes a finished update through a session of secure aggregation: it leaves the device under masks, or not at all.</summary>
/// <remarks>
/// (1) Keys are fresh in every attempt. (2) Until the masked vector has been sent a session that fails is left for the next one, with the same update. (3) From then on
/// the update is spent: it never goes into a second sum, which could be compared with the first. It is never on disk; a crash costs the work.
/// </remarks>
internal sealed class SecureSumRunner(string run, Caller caller, IClientStore store, FederatedClientOptions options, Func<Action, CancellationToken, Task> compute)
{
    /// <summary>Sessions that are tried with one update.</summary>
    private const int Attempts = 8;

    public async Task<SumResult> RunAsync(long assignment, SumInput input, CancellationToken cancellation)
    {
        var plan = input.Sum.ToPlan(input.ClipNorm, input.Delta.Length);
        var terms = plan.TermsFor(run);
        var identity = store.Identity ?? ClientIdentity.Create();
        if (store.Identity is null)
        {
            store.SaveIdentity(identity); // Where the transport proves who the client is, members still know it by its key.
        }

        using var key = identity.OpenKey();
        for (var attempt = 1; ; attempt++)
        {
            using var random = new CryptographicRandom();
            var member = (await StateAsync(assignment, null, cancellation)).Member;
            if (identity.IsEnrolled && member != identity.Client)
            {
                return new SumResult(null, $"the coordinator calls this client '{member}' and enrolled it as '{identity.Client}'", TellsCoordinator: true);
            }

            using var session = new SessionClient(terms, member, key, random, options.KnownMembers);
            try
            {
                return await PlayAsync(assignment, plan, session, input, random, cancellation);
            }
            catch (SessionLostException lost) when (!session.HasSent && attempt < Attempts && lost.MayJoinAgain)
            {
                options.Observer.On(new SumLeft(assignment, lost.Message));
            }
            catch (SessionLostException lost)
            {
                return new SumResult(null, lost.Message, TellsCoordinator: true);
            }
            catch (PrivacyException refusal)
            {
                // What the coordinator or another member asked for would have told more than the sum.
                return new SumResult(null, $"the session was left: {refusal.Message}", TellsCoordinator: true);
            }
            catch (ClientException e) when (e.Problem is { NeedsEnrolment: false, Status: >= 400 and < 500, Type: not Problem.ProtocolVersion } problem)
            {
                return new SumResult(null, problem.Detail, TellsCoordinator: true);
            }
        }
    }

    private async Task<SumResult> PlayAsync(
        long assignment, SecureSumPlan plan, SessionClient session, SumInput input, IRandomSource random, CancellationToken cancellation)
    {
        // 0
        await SendAsync(assignment, SecureSumSteps.Keys, session.Advertise(), WireJson.Default.Advertisement, cancellation);
        var state = await PastAsync(assignment, SessionPhase.Advertise, cancellation);

        // 1
        KeyShares shares = null!;
        var roster = state.Roster ?? throw Nothing(state);
        await compute(() => shares = session.ShareKeys(roster), cancellation);
        await SendAsync(assignment, SecureSumSteps.Shares, shares, WireJson.Default.KeyShares, cancellation);
        state = await PastAsync(assignment, SessionPhase.ShareKeys, cancellation);

        // 2: encoding comes before masking, and masking before anything leaves.
        byte[] packed = [];
        var delivery = state.Delivery ?? throw Nothing(state);
        await compute(() => packed = Masked(plan, session, input, delivery, random), cancellation);
        await StepAsync(assignment, SecureSumSteps.Input, packed, cancellation);
        state = await PastAsync(assignment, SessionPhase.MaskedInput, cancellation);

        // 2b
        var signature = session.Confirm(state.Survivors ?? throw Nothing(state));
        await SendAsync(assignment, SecureSumSteps.Signature, new SurvivorsSignature(signature), WireJson.Default.SurvivorsSignature, cancellation);
        state = await PastAsync(assignment, SessionPhase.Consistency, cancellation);

        // 3: the sum may have been opened by others' shares before this member was asked.
        if (state is { Known: SessionPhase.Unmask, Unmask: { } request })
        {
            UnmaskShares opened = null!;
            await compute(() => opened = session.Unmask(request), cancellation);
            try
            {
                await SendAsync(assignment, SecureSumSteps.Unmask, opened, WireJson.Default.UnmaskShares, cancellation);
            }
            catch (SessionLostException)
            {
                // Others were faster, or the session has failed: its end says which.
            }
        }

        state = await PastAsync(assignment, SessionPhase.Unmask, cancellation);
        return new SumResult(state.Outcome ?? throw Nothing(state), "", TellsCoordinator: false);
    }

    private static byte[] Masked(SecureSumPlan plan, SessionClient session, SumInput input, ShareDelivery delivery, IRandomSource random)
    {
        var encoding = plan.CreateEncoding<float>();
        var words = new uint[encoding.Length];
        var update = (float[])input.Delta.Clone(); // Encoding uses it up, and another session may need it.
        encoding.Encode(update, plan.ShareOf(input.Examples), session.PublicSeed, words, random);
        Array.Clear(update);
        session.Mask(delivery, words);
        var packed = new byte[WordPacking.Bytes(words.Length, encoding.Bits)];
        WordPacking.Pack(words, encoding.Bits, packed);
        return packed;
    }

    private Task SendAsync<TMessage>(long assignment, string step, TMessage message, JsonTypeInfo<TMessage> form, CancellationToken cancellation) =>
        StepAsync(assignment, step, JsonSerializer.SerializeToUtf8Bytes(message, form), cancellation);

    private async Task StepAsync(long assignment, string step, byte[] body, CancellationToken cancellation)
    {
        try
        {
            await caller.CallAsync(
                $"secure sum, {step}", options.RequestTimeout + TimeSpan.FromSeconds(body.Length / 8192.0), (transport, c) => transport.SendSecureSumAsync(run, assignment, step, body, c), cancellation);
        }
        catch (ClientException e) when (e.Problem is { Type: Problem.SessionUnknown or Problem.SessionRefused } problem)
        {
            var state = await StateAsync(assignment, null, cancellation);
            throw new SessionLostException(state.Reason.Length > 0 ? state.Reason : problem.Detail, mayJoinAgain: step != SecureSumSteps.Keys);
        }
    }

    /// <summary>Waits until the session is past a phase.</summary>
    private async Task<SecureSumState> PastAsync(long assignment, SessionPhase phase, CancellationToken cancellation)
    {
        while (true)
        {
            var state = await StateAsync(assignment, phase, cancellation);
            switch (state.Known)
            {
                case null:
                    throw new SessionLostException("the coordinator knows nothing of the session any more: it was started again", mayJoinAgain: true);
                case SessionPhase.Aborted:
                    throw new SessionLostException(state.Reason, mayJoinAgain: false); // Its assignments went back with it.
                case { } now when now > phase:
                    return state;
            }
        }
    }

    private Task<SecureSumState> StateAsync(long assignment, SessionPhase? after, CancellationToken cancellation) => caller.CallAsync(
        "secure sum",
        options.LongPoll + options.RequestTimeout,
        (transport, c) => transport.GetSecureSumAsync(run, assignment, after is { } phase ? SecureSumState.NameOf(phase) : "", after is null ? 0 : options.LongPoll.TotalSeconds, c),
        cancellation);

    private static SessionLostException Nothing(SecureSumState state) =>
        new($"the session went on to {state.Phase} without this member's part of it. {state.Reason}", mayJoinAgain: false);

    private sealed class SessionLostException(string message, bool mayJoinAgain) : Exception(message)
    {
        public bool MayJoinAgain => mayJoinAgain;
    }
}

/// <summary>A finished update that is to go into a sum.</summary>
/// <param name="Delta">d coordinates; not yet clipped.</param>
/// <param name="Examples">n_i, by which the client weighs it itself.</param>
/// <param name="ClipNorm">C.</param>
/// <param name="Sum">The run's sums.</param>
internal sealed record SumInput(float[] Delta, double Examples, int Steps, double ClipNorm, SecureSumMessage Sum);

/// <summary>What came of it.</summary>
/// <param name="Outcome">Null when it is in no sum.</param>
/// <param name="Reason">Why not.</param>
internal readonly record struct SumResult(UpdateOutcomeMessage? Outcome, string Reason, bool TellsCoordinator);
