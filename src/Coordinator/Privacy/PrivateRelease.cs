using System.Numerics;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;

namespace Federated.Coordinator.Privacy;

/// <summary>
/// The privacy of a run as its model state meets it: every accepted update passes <see cref="Admit"/> on its way into the aggregate, and what
/// comes out passes <see cref="Release"/> before anybody sees it. One object holds policy and noise, so that no host can use one without the other.
/// </summary>
/// <remarks>
/// A release that a durable host repeats after a crash gets the same noise (<see cref="ReleaseRandom"/>). What <see cref="Save"/> writes is the
/// state before the open aggregate's updates were charged, because a restored host admits those again. One owner; not thread-safe.
/// </remarks>
public sealed class PrivateRelease<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Weights are shares of the largest weight; what rounding puts above 1 is 1.</summary>
    private const double Rounding = 1e-9;

    private const int Form = 1;

    private readonly RunFacts facts;
    private readonly ReleaseRandom random;
    private readonly Dictionary<int, (int Count, int LastStep)?> beforeOpen = [];
    private readonly T[][] noise;
    private PolicyState<T>? restoring;
    private int releases;

    /// <param name="options">The policy.</param>
    /// <param name="facts">What the run does; see <see cref="StrategyFacts"/>.</param>
    /// <param name="random">Owned by this object from here on.</param>
    /// <exception cref="PrivacyException">The policy could not keep its word in this run; the message says why and what to change.</exception>
    public PrivateRelease(PrivacyOptions options, RunFacts facts, ReleaseRandom random)
    {
        ArgumentNullException.ThrowIfNull(facts);
        (this.facts, this.random) = (facts, random);
        Policy = PrivacyPolicies.Create<T>(options, facts, random);
        noise = [.. Policy.Save().Noise.Select(vector => new T[vector.Length])];
    }

    public PrivacyPolicy<T> Policy { get; }

    /// <summary>What is true of the run beyond the guarantee, and bears on it; for statements.</summary>
    public RunFacts Facts => facts;

    /// <inheritdoc cref="PrivacyPolicy{T}.TakesPlainSum"/>
    public bool TakesPlainSum => Policy.TakesPlainSum;

    /// <summary>Charges an update and makes it fit for the aggregate, in place.</summary>
    /// <param name="client">Whose it is.</param>
    /// <param name="delta">d coordinates, as they came.</param>
    /// <param name="weight">The update's weight as the scheduler gives it.</param>
    /// <returns>Why the update is left out; null when it is not.</returns>
    public string? Admit(int client, Span<T> delta, double weight)
    {
        var share = weight / facts.LargestWeight;
        var before = Policy.ChargeOf(client);
        var refusal = Policy.Admit(client, delta, share is > 1 and <= 1 + Rounding ? 1 : share);
        if (refusal is not null)
        {
            Witness(client);
        }
        else
        {
            beforeOpen.TryAdd(client, before);
        }

        return refusal;
    }

    /// <summary>The server has received an update that no release will hold: charged where seeing it is what costs.</summary>
    public void Witness(int client)
    {
        var before = Policy.ChargeOf(client);
        Policy.Witness(client);
        if (beforeOpen.TryGetValue(client, out var open) && Policy.ChargeOf(client) is { } after && after.Count > (before?.Count ?? 0))
        {
            beforeOpen[client] = ((open?.Count ?? 0) + 1, after.LastStep); // Not part of the open aggregate: it is not admitted again.
        }
    }

    /// <summary>Turns what the admitted updates were combined to into what may be published, in place.</summary>
    /// <param name="combined">d coordinates: the plain sum where <see cref="TakesPlainSum"/>, else the run's mean.</param>
    /// <param name="updates">Updates in the batch, those left out included.</param>
    /// <exception cref="PrivacyException">The release would exceed what the policy covers; nothing was released.</exception>
    public void Release(Span<T> combined, int updates)
    {
        random.Begin(releases);
        Policy.Release(combined, updates);
        releases++;
        beforeOpen.Clear();
    }

    /// <summary>Vectors that later noise depends on, d coordinates each, as they are now: part of what a checkpoint holds.</summary>
    public IReadOnlyList<Memory<T>> NoiseVectors()
    {
        var current = Policy.Save().Noise;
        for (var i = 0; i < noise.Length; i++)
        {
            current[i].CopyTo(noise[i]);
        }

        return [.. noise.Select(vector => vector.AsMemory())];
    }

    /// <summary>Writes the ledger and the key of the noise: a secret. <see cref="NoiseVectors"/> are kept beside it.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var state = Policy.Save();
        writer.Write(Form);
        writer.Write(random.Key);
        writer.Write(state.Releases);
        writer.Write(state.ClipNorm);
        var participations = state.Participations.ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach (var (client, before) in beforeOpen)
        {
            participations.Remove(client);
            if (before is { } entry)
            {
                participations.Add(client, entry);
            }
        }

        writer.Write(participations.Count);
        foreach (var (client, (count, last)) in participations.OrderBy(entry => entry.Key))
        {
            writer.Write(client);
            writer.Write(count);
            writer.Write(last);
        }
    }

    /// <summary>Takes what <see cref="Save"/> wrote; in force with <see cref="Restored"/>.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        if (reader.ReadInt32() is var form && form != Form)
        {
            throw new CoordinatorException($"This build reads privacy ledgers of form {Form}; this one has form {form}. Use the build that wrote it.");
        }

        random.Rekey(reader.ReadBytes(ReleaseRandom.KeyBytes));
        var (made, clip) = (reader.ReadInt32(), reader.ReadDouble());
        var participations = new Dictionary<int, (int Count, int LastStep)>();
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            participations.Add(reader.ReadInt32(), (reader.ReadInt32(), reader.ReadInt32()));
        }

        restoring = new PolicyState<T>(made, clip, participations, []);
    }

    /// <summary>The vectors of <see cref="NoiseVectors"/> have been set to the checkpoint's too: the policy goes on from there.</summary>
    public void Restored()
    {
        if (restoring is { } state)
        {
            restoring = null;
            Policy.Restore(state with { Noise = [.. noise.Select(vector => (ReadOnlyMemory<T>)vector)] });
            releases = state.Releases;
            beforeOpen.Clear();
        }
    }

    public void Dispose() => random.Dispose();
}
